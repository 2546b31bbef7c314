<?php
// A small PHP application. Only its handler for events knows of Lambda.
declare(strict_types=1);

$path = rawurldecode(parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH) ?: '/');

match (true) {
    $path === '/' => text("Hello from PHP!\n"),
    $path === '/echo', str_starts_with($path, '/echo/') => echo_request(),
    $path === '/bytes' => bytes(),
    $path === '/cookies' => cookies(),
    $path === '/events' && $_SERVER['REQUEST_METHOD'] === 'POST' => events(),
    $path === '/error' => throw new RuntimeException('This is in the log.'),
    preg_match('{^/status/([2-5]\d\d)$}', $path, $found) === 1
        => text("Status $found[1].\n", (int) $found[1]),
    default => text("Not Found\n", 404),
};

function text(string $body, int $status = 200): void
{
    http_response_code($status);
    header('Content-Type: text/plain; charset=utf-8');
    echo $body;
}

function json(mixed $value): void
{
    header('Content-Type: application/json');
    echo json_encode($value, JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION);
}

// Responds with the request as Apache received it; the body is base64.
function echo_request(): void
{
    $headers = [];
    foreach (getallheaders() as $name => $value) {
        $headers[] = [$name, $value];
    }
    json([
        'method' => $_SERVER['REQUEST_METHOD'],
        'target' => $_SERVER['REQUEST_URI'],
        'headers' => $headers,
        'body' => base64_encode(file_get_contents('php://input')),
    ]);
}

function bytes(): void
{
    header('Content-Type: application/octet-stream');
    echo implode(array_map(chr(...), range(0, 255)));
}

function cookies(): void
{
    setcookie('first', '1');
    setcookie('second', '2', ['httponly' => true]);
    text("Two cookies for you.\n");
}

// Receives an event that is no HTTP request: from a queue, a schedule, a bucket.
// A client can POST here too, but the adapter lets only such events have this value.
function events(): void
{
    if (($_SERVER['HTTP_X_AMZN_REQUEST_CONTEXT'] ?? '') !== 'null') {
        text("Forbidden\n", 403);
        return;
    }
    $event = json_decode(file_get_contents('php://input'), flags: JSON_THROW_ON_ERROR);
    json(['received' => $event]);
}
