# A Rack application: /slow takes 30 s, and all else responds with the number of its process.

run lambda { |env|
  sleep 30 if env["PATH_INFO"] == "/slow"
  [200, { "content-type" => "text/plain" }, [Process.pid.to_s]]
}
