// An application in Go with the defect that its argument names, or none.
package main

import (
	"bytes"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

var kept []*os.File

func page(link string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<a href=%q>there</a>", link)
	}
}

func ok(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write([]byte(`{"ok": true}`))
}

// An endless feed, a line each 0.3 s.
func feed(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	for r.Context().Err() == nil {
		fmt.Fprintln(w, "{}")
		w.(http.Flusher).Flush()
		time.Sleep(300 * time.Millisecond)
	}
}

// A file that is never closed.
func open(w http.ResponseWriter, r *http.Request) {
	file, err := os.Open("/etc/hosts")
	if err != nil {
		http.Error(w, err.Error(), 500)
		return
	}
	kept = append(kept, file)
	ok(w, r)
}

func main() {
	root, there := page("/there"), http.HandlerFunc(ok)
	switch os.Args[1] {
	case "ticker":
		go func() {
			for range time.Tick(100 * time.Millisecond) {
			}
		}()
	case "files":
		root = open
	case "fatal":
		there = func(http.ResponseWriter, *http.Request) {
			log.Fatal("orders: sql: database is closed")
		}
	case "endless":
		there = feed
	case "large":
		there = func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/csv")
			w.Write(bytes.Repeat([]byte("a,b,c,d\n"), 900_000))
		}
	}
	http.HandleFunc("/", root)
	http.HandleFunc("/there", there)
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
