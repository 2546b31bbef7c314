<?php
// GET /slow takes 30 s, everything else none; "/count" counts what a worker has served.
$path = parse_url($_SERVER["REQUEST_URI"], PHP_URL_PATH);
if ($path === "/slow") {
    $end = microtime(true) + 30;
    while (microtime(true) < $end) {
        usleep(10000);
    }
}
header("Content-Type: text/plain");
echo getmypid();
