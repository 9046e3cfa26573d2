// upstream LISTEN_PORT [BODY_BYTES]: the cheapest HTTP/1.1 upstream that will do, so that the load's core is not what is
// measured. One thread, one epoll; every request head (up to its empty line; bodies are not expected) is answered with
// 200 and the same body of 1 KiB.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FD = 65536, BUFFER = 65536, BATCH = 256, PIPELINE = 64 };

static unsigned char matched[MAX_FD]; // how much of "\r\n\r\n" a connection's last read ended with
static char buffer[BUFFER];

// How many request heads end in this piece.
static int heads_in(int fd, const char *piece, size_t length)
{
    int heads = 0;
    unsigned state = matched[fd];
    for (size_t i = 0; i < length; ++i) {
        if (state == 0) {
            const char *found = memchr(piece + i, '\r', length - i);
            if (found == NULL)
                break;
            i = (size_t)(found - piece);
            state = 1;
        } else if (piece[i] == "\r\n\r\n"[state]) {
            if (++state == 4) {
                ++heads;
                state = 0;
            }
        } else {
            state = piece[i] == '\r' ? 1 : 0;
        }
    }
    matched[fd] = (unsigned char)state;
    return heads;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: upstream LISTEN_PORT [BODY_BYTES]\n");
        return 64;
    }
    size_t body = argc == 3 ? (size_t)atol(argv[2]) : 1024;
    char *answers = malloc((body + 256) * PIPELINE);
    if (answers == NULL)
        return 1;
    size_t length = (size_t)sprintf(answers, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", body);
    memset(answers + length, 'x', body);
    length += body;
    for (int i = 1; i < PIPELINE; ++i)
        memcpy(answers + (size_t)i * length, answers, length);

    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 4096) != 0) {
        perror("upstream: listen");
        return 1;
    }
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(epoll_fd, events, BATCH, -1);
        if (ready < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < ready; ++i) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (client < 0 || client >= MAX_FD) {
                    if (client >= 0)
                        close(client);
                    continue;
                }
                matched[client] = 0;
                setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                event.data.fd = client;
                epoll_ctl(epoll_fd, EPOLL_CTL_ADD, client, &event);
                continue;
            }
            ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
            int lost = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
            for (int due = got > 0 ? heads_in(fd, buffer, (size_t)got) : 0; due > 0 && !lost;) {
                int now = due < PIPELINE ? due : PIPELINE;
                lost = send(fd, answers, length * (size_t)now, 0) != (ssize_t)(length * (size_t)now);
                due -= now;
            }
            if (lost)
                close(fd);
        }
    }
}
