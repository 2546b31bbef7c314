// A port of its own.
require('http').createServer((request, response) => response.end('ok')).listen(58124, '127.0.0.1');
