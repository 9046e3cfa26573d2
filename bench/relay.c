// relay LISTEN_PORT UPSTREAM_PORT: the floor under every proxy. One thread, one epoll; each client connection has one
// upstream connection of its own, and what comes in on either side goes out on the other, unread. A request and its
// answer cost two reads and two writes, and a share of one epoll_wait.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_FD = 65536, BUFFER = 65536, BATCH = 256 };

static int epoll_fd;
static int other[MAX_FD]; // the descriptor on the far side; 0 = none
static char buffer[BUFFER];

static struct sockaddr_in loopback(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void watch(int fd)
{
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        perror("relay: epoll_ctl");
        exit(1);
    }
}

static void drop(int fd)
{
    int far = other[fd];
    other[fd] = 0;
    close(fd);
    if (far > 0) {
        other[far] = 0;
        close(far);
    }
}

static void join(int client, const struct sockaddr_in *upstream)
{
    int far = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    // Blocking connect and blocking writes: messages here are a kilobyte or two, and loopback takes them at once.
    if (far < 0 || far >= MAX_FD || client >= MAX_FD || connect(far, (const struct sockaddr *)upstream, sizeof *upstream) != 0) {
        if (far >= 0)
            close(far);
        close(client);
        return;
    }
    other[client] = far;
    other[far] = client;
    watch(client);
    watch(far);
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: relay LISTEN_PORT UPSTREAM_PORT\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    struct sockaddr_in here = loopback(argv[1]), upstream = loopback(argv[2]);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) != 0 || listen(listener, 4096) != 0) {
        perror("relay: listen");
        return 1;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch(listener);
    for (;;) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(epoll_fd, events, BATCH, -1);
        if (ready < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < ready; ++i) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                if (client >= 0)
                    join(client, &upstream);
                continue;
            }
            if (other[fd] == 0)
                continue; // closed with its far side, earlier in this batch
            ssize_t got = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got > 0) {
                if (send(other[fd], buffer, (size_t)got, 0) != got)
                    drop(fd);
            } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
                drop(fd);
            }
        }
    }
}
