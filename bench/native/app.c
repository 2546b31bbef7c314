/* app PORT: a web application that does next to nothing, so that what is left is the
 * adapter's.
 *
 *   POST ...             the body of the request
 *   POST /sink           "ok", once the body is read
 *   GET /bytes/N         N bytes that are no text
 *   GET /text/N          N bytes of text
 *   GET /wait/MS         "ok", that many milliseconds later
 *   any other            "ok"
 *
 * HTTP/1.1 with Content-Length, connections kept; a thread for each.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define ROOM (8 << 20)
static const char SENTENCE[] = "The quick brown fox said \"jump\" to the lazy dog.\n";
static char text[ROOM], binary[ROOM];

struct message {
    char *bytes; /* ROOM of them */
    size_t used;
    char *body;
    size_t length;
};

/* Not before it is asked for: the application has to start fast. */
static void fill(void)
{
    for (size_t i = 0; i < ROOM; i++) {
        text[i] = SENTENCE[i % strlen(SENTENCE)];
        binary[i] = (char)(i * 167 + 128);
    }
}

static size_t content_length(const char *head)
{
    const char *field = strcasestr(head, "\r\ncontent-length:");
    return field ? strtoul(field + strlen("\r\ncontent-length:"), NULL, 10) : 0;
}

/* Read one request, to the last byte of its body. */
static int receive(int connection, struct message *request)
{
    request->used = 0;
    request->body = NULL;
    while (!request->body || request->used < request->body - request->bytes + request->length) {
        ssize_t got = read(connection, request->bytes + request->used, ROOM - 1 - request->used);
        if (got <= 0)
            return 0;
        request->used += got;
        if (request->body)
            continue;
        request->bytes[request->used] = 0;
        char *end = strstr(request->bytes, "\r\n\r\n");
        if (end) {
            *end = 0;
            request->length = content_length(request->bytes);
            request->body = end + 4;
        }
    }
    return 1;
}

static int send_all(int connection, struct iovec *parts, int count)
{
    while (count) {
        ssize_t sent = writev(connection, parts, count);
        if (sent < 0)
            return 0;
        while (count && (size_t)sent >= parts->iov_len) {
            sent -= parts->iov_len;
            parts++, count--;
        }
        if (count) {
            parts->iov_base = (char *)parts->iov_base + sent;
            parts->iov_len -= sent;
        }
    }
    return 1;
}

static int reply(int connection, const char *type, const char *body, size_t length)
{
    char head[128];
    int size = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n",
                       type, length);
    struct iovec parts[] = {{head, size}, {(char *)body, length}};
    return send_all(connection, parts, 2);
}

static int answer(int connection, struct message *request)
{
    const char *binary_type = "application/octet-stream", *text_type = "text/plain; charset=utf-8";
    static pthread_once_t filled = PTHREAD_ONCE_INIT;
    unsigned long number;
    if (!strncmp(request->bytes, "POST /sink ", 11))
        return reply(connection, text_type, "ok", 2);
    if (!strncmp(request->bytes, "POST ", 5))
        return reply(connection, binary_type, request->body, request->length);
    if (sscanf(request->bytes, "GET /bytes/%lu", &number) == 1 && number <= ROOM) {
        pthread_once(&filled, fill);
        return reply(connection, binary_type, binary, number);
    }
    if (sscanf(request->bytes, "GET /text/%lu", &number) == 1 && number <= ROOM) {
        pthread_once(&filled, fill);
        return reply(connection, text_type, text, number);
    }
    if (sscanf(request->bytes, "GET /wait/%lu", &number) == 1) {
        struct timespec pause = {number / 1000, number % 1000 * 1000000};
        nanosleep(&pause, NULL);
    }
    return reply(connection, text_type, "ok", 2);
}

static void *serve(void *argument)
{
    int connection = (int)(long)argument, on = 1;
    struct message request = {.bytes = malloc(ROOM)};
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (receive(connection, &request) && answer(connection, &request))
        ;
    free(request.bytes);
    close(connection);
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 64;
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
        perror("the application can't listen");
        return 1;
    }
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        pthread_t thread;
        if (connection >= 0 && !pthread_create(&thread, NULL, serve, (void *)(long)connection))
            pthread_detach(thread);
    }
}
