<?php
// A session in a file, where PHP of Debian keeps them.
session_save_path('/var/lib/php/sessions');
session_start();
$_SESSION['visits'] = ($_SESSION['visits'] ?? 0) + 1;
echo "<p>{$_SESSION['visits']} visits</p>";
