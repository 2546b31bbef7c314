/* app: a web application on $PORT that does next to nothing, so that what is left is the
 * adapter's.
 *
 *   POST /sink           "ok", once the body is read
 *   POST /text           the body of the request, as text
 *   POST ...             the body of the request, as binary
 *   GET /wait/MS         "ok", that many milliseconds later
 *   GET /stream/BYTES    so many bytes as text, in chunks of 64 KiB
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
#include <sys/uio.h>
#include <unistd.h>

#define ROOM (8 << 20)
#define CHUNK (64 << 10)
#define BINARY "application/octet-stream"
#define TEXT "text/plain; charset=utf-8"

static int starts(const char *request, const char *with)
{
    return !strncmp(request, with, strlen(with));
}

/* Read one request to the last byte of its body; return the body, or NULL at the end. */
static char *receive(int connection, char *request, size_t *length)
{
    char *body = NULL;
    size_t used = 0;
    while (!body || used < body - request + *length) {
        ssize_t got = read(connection, request + used, ROOM - 1 - used);
        if (got <= 0)
            return NULL;
        used += got;
        request[used] = 0;
        char *end = body ? NULL : strstr(request, "\r\n\r\n");
        if (end) {
            *end = 0;
            char *field = strcasestr(request, "\r\ncontent-length:");
            *length = field ? strtoul(field + strlen("\r\ncontent-length:"), NULL, 10) : 0;
            body = end + 4;
        }
    }
    return body;
}

static void respond(int connection, const char *type, const char *body, size_t length)
{
    char head[128];
    int size = sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %zu\r\n\r\n",
                       type, length);
    struct iovec parts[] = {{head, size}, {(char *)body, length}};
    /* It blocks, so all is sent at once; if the peer has gone, the next read says so. */
    if (writev(connection, parts, 2) < 0)
        perror("a response is not sent");
}

/* Each chunk goes out with its size in one call, as from a server that flushes each. */
static void stream(int connection, size_t left)
{
    static char data[CHUNK];
    char head[160], *size = head + sprintf(head, "HTTP/1.1 200 OK\r\ncontent-type: %s\r\n"
                                           "transfer-encoding: chunked\r\n\r\n", TEXT);
    for (; left; size = head) {
        size_t length = left < CHUNK ? left : CHUNK;
        struct iovec parts[] = {{head, size + sprintf(size, "%zx\r\n", length) - head},
                                {data, length}, {"\r\n", 2}};
        if (writev(connection, parts, 3) < 0) {
            perror("a stream breaks off");
            return;
        }
        left -= length;
    }
    if (write(connection, "0\r\n\r\n", 5) < 0)
        perror("a stream does not end");
}

static void *serve(void *argument)
{
    int connection = (int)(long)argument, on = 1;
    char *request = malloc(ROOM), *body;
    size_t length, milliseconds, size;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while ((body = receive(connection, request, &length))) {
        if (starts(request, "POST ") && !starts(request, "POST /sink ")) {
            respond(connection, starts(request, "POST /text ") ? TEXT : BINARY, body, length);
        } else if (sscanf(request, "GET /stream/%zu", &size) == 1) {
            stream(connection, size);
        } else {
            if (sscanf(request, "GET /wait/%zu", &milliseconds) == 1)
                usleep(milliseconds * 1000);
            respond(connection, TEXT, "ok", 2);
        }
    }
    free(request);
    close(connection);
    return NULL;
}

int main(void)
{
    const char *port = getenv("PORT");
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port ? atoi(port) : 0),
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
