// pace PORT TOKENS_FILE COUNT RATE SECONDS CONNECTIONS [STATUS]: an open load. Requests fall due at a fixed rate, whatever became of
// those before; each goes out on the next free one of the connections, and waits for one where none is free. A request's
// latency counts from when it fell due, so that a proxy that stalls cannot hide it. The first half second does not count.
// Prints one line of JSON: requests that counted, those of them without an answer at the end, microseconds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UNANSWERED UINT32_MAX

enum { BATCH = 256, ANSWER = 65536, LONGEST_TOKEN = 16384 };

struct connection {
    int fd;
    size_t number; // of its request
    size_t have;   // bytes of the answer so far
    size_t expect; // head and body together; 0: the head is not complete
    char answer[ANSWER];
};

struct request {
    char *text;
    size_t length;
};

static char begins[] = "HTTP/1.1 200 "; // every answer

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "pace: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
    exit(1);
}

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static double apart;  // nanoseconds between two requests
static int64_t start; // when the first one fell due

static int64_t due_time(size_t number)
{
    return start + (int64_t)(apart * (double)number);
}

static uint32_t since_due(size_t number)
{
    int64_t took = (now() - due_time(number)) / 1000;
    return took < 0 ? 0 : took < UNANSWERED ? (uint32_t)took : UNANSWERED - 1;
}

static struct request *read_requests(const char *path, size_t count)
{
    FILE *file = fopen(path, "r");
    struct request *requests = calloc(count, sizeof *requests);
    char *line = malloc(LONGEST_TOKEN);
    if (file == NULL || requests == NULL || line == NULL)
        fail(path);
    for (size_t i = 0; i < count; ++i) {
        if (fgets(line, LONGEST_TOKEN, file) == NULL)
            fail("too few tokens");
        line[strcspn(line, "\n")] = '\0';
        int length = asprintf(&requests[i].text,
                              "GET /orders/42?full=1 HTTP/1.1\r\nHost: orders.bench.example\r\nAccept: application/json\r\n"
                              "User-Agent: bench/1\r\nAuthorization: Bearer %s\r\n\r\n",
                              line);
        if (length < 0)
            fail("memory");
        requests[i].length = (size_t)length;
    }
    free(line);
    fclose(file);
    return requests;
}

static void open_connection(struct connection *connection, unsigned short port, int epoll_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        fail("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        fail("epoll_ctl");
}

// Whether the answer is complete.
static int read_answer(struct connection *connection)
{
    errno = 0;
    ssize_t got = recv(connection->fd, connection->answer + connection->have, ANSWER - 1 - connection->have, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        fail("a connection was closed, or an answer is too long");
    connection->have += (size_t)got;
    if (connection->expect == 0) {
        connection->answer[connection->have] = '\0';
        char *end = strstr(connection->answer, "\r\n\r\n");
        if (end == NULL)
            return 0;
        char *length = strcasestr(connection->answer, "\r\ncontent-length:");
        if (strncmp(connection->answer, begins, strlen(begins)) != 0 || length == NULL || length > end)
            fail("an answer of another status, or without a length");
        connection->expect = (size_t)(end + 4 - connection->answer) + strtoul(length + 17, NULL, 10);
    }
    return connection->have >= connection->expect;
}

static int compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    if (argc != 7 && (argc != 8 || strlen(argv[7]) != 3)) {
        fprintf(stderr, "usage: pace PORT TOKENS_FILE COUNT RATE SECONDS CONNECTIONS [STATUS]\n");
        return 64;
    }
    if (argc == 8)
        memcpy(begins + 9, argv[7], 3);
    size_t count = strtoul(argv[3], NULL, 10), wanted = strtoul(argv[6], NULL, 10);
    double rate = atof(argv[4]), seconds = atof(argv[5]);
    if (count < 1 || wanted < 1 || rate < 1 || seconds <= 0) {
        fprintf(stderr, "pace: numbers above 0, please\n");
        return 64;
    }
    struct request *requests = read_requests(argv[2], count);
    struct connection *connections = calloc(wanted, sizeof *connections);
    struct connection **free_ones = calloc(wanted, sizeof *free_ones); // a ring: the one that is free the longest goes first
    size_t warm = (size_t)(rate / 2), total = warm + (size_t)(rate * seconds);
    uint32_t *latencies = calloc(total, sizeof *latencies);
    if (connections == NULL || free_ones == NULL || latencies == NULL)
        fail("memory");
    memset(latencies, 0xff, total * sizeof *latencies); // UNANSWERED
    prctl(PR_SET_TIMERSLACK, 1UL);
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < wanted; ++i) {
        open_connection(&connections[i], (unsigned short)atoi(argv[1]), epoll_fd);
        free_ones[i] = &connections[i];
    }

    size_t first_free = 0, are_free = wanted, sent = 0, answered = 0;
    apart = 1e9 / rate;
    start = now();
    const int64_t give_up = due_time(total) + 2000000000;
    int64_t time = start;
    while (answered < total && time < give_up) {
        int64_t due = due_time(sent);
        for (; sent < total && are_free > 0 && due <= time; due = due_time(sent)) {
            struct connection *connection = free_ones[first_free];
            const struct request *request = &requests[sent % count];
            first_free = (first_free + 1) % wanted;
            --are_free;
            connection->number = sent;
            connection->have = connection->expect = 0;
            if (send(connection->fd, request->text, request->length, MSG_NOSIGNAL) != (ssize_t)request->length)
                fail("send");
            ++sent;
            time = now();
        }
        int64_t until = sent < total && are_free > 0 ? due : give_up;
        struct timespec wait = {0};
        if (until > time) {
            wait.tv_sec = (until - time) / 1000000000;
            wait.tv_nsec = (until - time) % 1000000000;
        }
        struct epoll_event events[BATCH];
        int ready = epoll_pwait2(epoll_fd, events, BATCH, &wait, NULL);
        if (ready < 0 && errno != EINTR)
            fail("epoll_pwait2");
        for (int i = 0; i < ready; ++i) {
            struct connection *connection = events[i].data.ptr;
            if (!read_answer(connection))
                continue;
            latencies[connection->number] = since_due(connection->number);
            ++answered;
            free_ones[(first_free + are_free) % wanted] = connection;
            ++are_free;
        }
        time = now();
    }
    double took = (double)(time - start) / 1e9, reached = (double)answered / took;

    // Those without an answer waited from when they fell due until now: left out, they would flatter.
    size_t unanswered = 0, counted = total - warm;
    for (size_t i = warm; i < total; ++i) {
        if (latencies[i] == UNANSWERED) {
            latencies[i] = since_due(i);
            ++unanswered;
        }
    }
    uint32_t *of_interest = latencies + warm;
    qsort(of_interest, counted, sizeof *of_interest, compare);
    printf("{\"requests\": %zu, \"unanswered\": %zu, \"rate\": %.0f, \"p50\": %u, \"p99\": %u, \"most\": %u}\n", counted, unanswered,
           reached, of_interest[counted / 2], of_interest[counted * 99 / 100], of_interest[counted - 1]);
    return 0;
}
