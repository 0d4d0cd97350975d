// Reads over TLS as the Edge API does, as fast as answers come. How a caller treats its connections is the mode: `new`
// makes one for each call, `kept` keeps one for each caller, `bare` is the Edge API's transport, which keeps two, and
// `cached` is `new` with a cache of sessions, which that one has not. Prints what it saw as JSON.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

type Outcome struct {
	DurationS  float64            `json:"duration_s"`
	Statuses   map[string]int     `json:"statuses"`
	Errors     int                `json:"errors"`
	Handshakes int64              `json:"handshakes"`
	Resumed    int64              `json:"resumed"`
	LatencyMs  map[string]float64 `json:"latency_ms"`
}

func main() {
	url := flag.String("url", "", "what to read")
	ca := flag.String("ca", "", "CA of the server")
	certificate := flag.String("certificate", "", "of the Edge API")
	key := flag.String("key", "", "of that certificate")
	mode := flag.String("mode", "new", "new, kept, bare or cached")
	callers := flag.Int("callers", 32, "callers at a time")
	duration := flag.Duration("duration", 5*time.Second, "how long")
	flag.Parse()

	config := tlsConfig(*ca, *certificate, *key)
	if *mode == "cached" {
		config.ClientSessionCache = tls.NewLRUClientSessionCache(*callers)
	}
	closes := *mode == "new" || *mode == "cached"
	shared := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: closes}}

	outcome := Outcome{Statuses: map[string]int{}, LatencyMs: map[string]float64{}}
	trace := &httptrace.ClientTrace{TLSHandshakeDone: func(state tls.ConnectionState, err error) {
		if err == nil {
			atomic.AddInt64(&outcome.Handshakes, 1)
			if state.DidResume {
				atomic.AddInt64(&outcome.Resumed, 1)
			}
		}
	}}
	traced := httptrace.WithClientTrace(context.Background(), trace)
	var lock sync.Mutex
	var wait sync.WaitGroup
	var latencies []float64
	began := time.Now()
	for caller := 0; caller < *callers; caller++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			client := shared
			if *mode == "kept" {
				client = &http.Client{Transport: &http.Transport{TLSClientConfig: config.Clone()}}
			}
			for time.Since(began) < *duration {
				sent := time.Now()
				status := read(client, traced, *url)
				took := time.Since(sent).Seconds() * 1000
				lock.Lock()
				if status == 0 {
					outcome.Errors++
				} else {
					outcome.Statuses[strconv.Itoa(status)]++
					latencies = append(latencies, took)
				}
				lock.Unlock()
			}
		}()
	}
	wait.Wait()
	outcome.DurationS = time.Since(began).Seconds()
	sort.Float64s(latencies)
	if len(latencies) > 0 {
		outcome.LatencyMs["p50"] = latencies[len(latencies)/2]
		outcome.LatencyMs["p99"] = latencies[len(latencies)*99/100]
	}
	json.NewEncoder(os.Stdout).Encode(outcome)
}

func tlsConfig(ca, certificate, key string) *tls.Config {
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(ca)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		panic("no CA")
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{
		RootCAs: roots, Certificates: []tls.Certificate{pair},
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"},
	}
}

func read(client *http.Client, traced context.Context, url string) int {
	request, err := http.NewRequestWithContext(traced, http.MethodGet, url, nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Accept", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return 0
	}
	return answer.StatusCode
}
