// bulk serve PORT: an upstream for large bodies. GET ...?bytes=N is answered with N bytes, other GETs with 1,024; what is
// sent with a Content-Length is thrown away and answered with 200. One thread a connection.
// bulk get PORT BYTES TOKEN_FILE, bulk put PORT BYTES TOKEN_FILE: fetches or sends that many bytes, with the first token of
// the file; prints the seconds that it took as JSON. What is received is never copied out of the kernel.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 32768, PIECE = 1 << 20, SERVED = 1024 };

static char piece[PIECE]; // what bodies are made of; and, as an address only, where they are thrown

// Whether all was sent.
static int send_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return 0;
        data += sent;
        length -= (size_t)sent;
    }
    return 1;
}

static int send_body(int fd, uint64_t bytes)
{
    while (bytes > 0) {
        size_t now = bytes < PIECE ? (size_t)bytes : PIECE;
        if (!send_all(fd, piece, now))
            return 0;
        bytes -= now;
    }
    return 1;
}

// Whether so many bytes came; MSG_TRUNC: TCP drops them where they are.
static int drop_body(int fd, uint64_t bytes)
{
    while (bytes > 0) {
        ssize_t got = recv(fd, piece, bytes < PIECE ? (size_t)bytes : PIECE, MSG_TRUNC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return 0;
        bytes -= (uint64_t)got;
    }
    return 1;
}

// Reads a head into `head`, with a final zero; -> bytes of body that came with it, or -1 at the connection's end.
static ssize_t read_head(int fd, char *head)
{
    for (size_t have = 0; have < HEAD - 1;) {
        ssize_t got = recv(fd, head + have, HEAD - 1 - have, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        have += (size_t)got;
        head[have] = '\0';
        char *end = strstr(head, "\r\n\r\n");
        if (end != NULL) {
            end[2] = '\0';
            return (ssize_t)have - (end + 4 - head);
        }
    }
    return -1;
}

static int length_of(const char *head, uint64_t *bytes)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");
    if (field != NULL)
        *bytes = strtoull(field + 17, NULL, 10);
    return field != NULL;
}

static void *serve_connection(void *argument)
{
    int fd = (int)(intptr_t)argument, one = 1;
    char *head = malloc(HEAD), answer[160];
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ssize_t early;
    while (head != NULL && (early = read_head(fd, head)) >= 0) {
        uint64_t due = 0;
        if (length_of(head, &due) && due > 0 && ((uint64_t)early > due || !drop_body(fd, due - (uint64_t)early)))
            break;
        const char *asked = strstr(head, "bytes="), *line = strstr(head, "\r\n");
        uint64_t bytes = asked != NULL && asked < line ? strtoull(asked + 6, NULL, 10) : SERVED;
        int length = sprintf(answer, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %llu\r\n\r\n",
                             (unsigned long long)bytes);
        if (!send_all(fd, answer, (size_t)length) || !send_body(fd, bytes))
            break;
    }
    free(head);
    close(fd);
    return NULL;
}

static int serve(const struct sockaddr_in *here)
{
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (const struct sockaddr *)here, sizeof *here) != 0 || listen(listener, 4096) != 0) {
        perror("bulk: listen");
        return 1;
    }
    for (;;) {
        int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (client < 0)
            continue;
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve_connection, (void *)(intptr_t)client) == 0)
            pthread_detach(thread);
        else
            close(client);
    }
}

static int transfer(const struct sockaddr_in *there, int put, uint64_t bytes, const char *token_file)
{
    static char token[16384], head[HEAD];
    FILE *file = fopen(token_file, "r");
    if (file == NULL || fgets(token, sizeof token, file) == NULL) {
        perror(token_file);
        return 1;
    }
    fclose(file);
    token[strcspn(token, "\n")] = '\0';
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (const struct sockaddr *)there, sizeof *there) != 0) {
        perror("bulk: connect");
        return 1;
    }
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    int length = put ? snprintf(head, sizeof head,
                                "PUT /orders/large HTTP/1.1\r\nHost: orders.bench.example\r\nAuthorization: Bearer %s\r\n"
                                "Content-Type: application/octet-stream\r\nContent-Length: %llu\r\n\r\n",
                                token, (unsigned long long)bytes)
                     : snprintf(head, sizeof head,
                                "GET /orders/large?bytes=%llu HTTP/1.1\r\nHost: orders.bench.example\r\nAuthorization: Bearer %s\r\n\r\n",
                                (unsigned long long)bytes, token);
    uint64_t due = 0;
    if (!send_all(fd, head, (size_t)length) || (put && !send_body(fd, bytes))) {
        perror("bulk: send");
        return 1;
    }
    ssize_t early = read_head(fd, head);
    if (early < 0 || strncmp(head, "HTTP/1.1 200 ", 13) != 0 || !length_of(head, &due) || due != (put ? SERVED : bytes)) {
        fprintf(stderr, "bulk: not the answer that was due: %.60s\n", head);
        return 1;
    }
    if (!drop_body(fd, due - (uint64_t)early)) {
        fprintf(stderr, "bulk: the body was cut\n");
        return 1;
    }
    clock_gettime(CLOCK_MONOTONIC, &ended);
    printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)bytes,
           (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) / 1e9);
    return 0;
}

int main(int argc, char **argv)
{
    int known = argc >= 3 ? (strcmp(argv[1], "serve") == 0 && argc == 3) ||
                                ((strcmp(argv[1], "get") == 0 || strcmp(argv[1], "put") == 0) && argc == 5)
                          : 0;
    if (!known) {
        fprintf(stderr, "usage: bulk serve PORT | get PORT BYTES TOKEN_FILE | put PORT BYTES TOKEN_FILE\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    memset(piece, 'x', sizeof piece);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (argc == 3)
        return serve(&address);
    return transfer(&address, argv[1][0] == 'p', strtoull(argv[3], NULL, 10), argv[4]);
}
