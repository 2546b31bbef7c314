<?php // PHP's own server serves one connection at a time.
echo "ok";
