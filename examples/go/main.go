// A small application of Go's standard library. Only its handler for events and the time
// it allows itself to end know of Lambda.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// The most that Lambda sends with an event.
const maxEvent = 6 << 20

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", hello)
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/echo/", echo)
	mux.HandleFunc("/bytes", everyByte)
	mux.HandleFunc("/cookies", cookies)
	mux.HandleFunc("/events", events)
	mux.HandleFunc("/status/", status)

	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	if err := serve(&http.Server{Addr: ":" + port, Handler: mux}); err != nil {
		log.Fatal(err)
	}
}

// serve serves until SIGTERM, and then ends the requests that are under way.
func serve(server *http.Server) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}

	ending, cancel := context.WithTimeout(context.Background(), shutdownTimeout())
	defer cancel()
	return server.Shutdown(ending)
}

// shutdownTimeout leaves time for what comes after the server's end: the adapter sends
// SIGKILL 400 ms after SIGTERM, or 250 ms if the image has other extensions.
func shutdownTimeout() time.Duration {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		return 200 * time.Millisecond
	}
	return 8 * time.Second // docker stop waits 10
}

func hello(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		http.NotFound(w, r)
		return
	}
	io.WriteString(w, "Hello from Go!\n")
}

// echo responds with the request as Go received it; the body is base64.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	headers := [][2]string{{"Host", r.Host}}
	for name, values := range r.Header {
		for _, value := range values {
			headers = append(headers, [2]string{name, value})
		}
	}
	writeJSON(w, map[string]any{
		"method": r.Method, "target": r.RequestURI, "headers": headers, "body": body,
	})
}

func everyByte(w http.ResponseWriter, r *http.Request) {
	data := make([]byte, 256)
	for i := range data {
		data[i] = byte(i)
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(data)
}

func cookies(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "first", Value: "1", Path: "/"})
	http.SetCookie(w, &http.Cookie{Name: "second", Value: "2", Path: "/", HttpOnly: true})
	io.WriteString(w, "Two cookies for you.\n")
}

// events receives an event that is no HTTP request: from a queue, a schedule, a bucket.
// A client can POST here too, but the adapter lets only such events have this value.
func events(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("x-amzn-request-context") != "null" {
		http.Error(w, "Forbidden", http.StatusForbidden)
		return
	}
	var event json.RawMessage
	body := http.MaxBytesReader(w, r.Body, maxEvent)
	if err := json.NewDecoder(body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, map[string]any{"received": event})
}

func status(w http.ResponseWriter, r *http.Request) {
	code, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/status/"))
	if err != nil || code < 200 || code > 999 {
		http.NotFound(w, r)
		return
	}
	w.WriteHeader(code)
	fmt.Fprintf(w, "Status %d.\n", code)
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}
