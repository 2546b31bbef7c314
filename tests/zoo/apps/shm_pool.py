"""A pool of processes within a request."""

from concurrent.futures import ProcessPoolExecutor

from _serve import serve, text


def respond(path):
    with ProcessPoolExecutor(1) as pool:
        return text(str(list(pool.map(abs, [-1]))))


if __name__ == "__main__":
    serve(respond)
