// Calls the device plane with a client set up as the Edge API's is: a bare transport with a TLS configuration, which
// so speaks HTTP/1.1 only, TLS 1.3, an announcement of h2, and two idle connections.
//
// With a number of callers and of calls it sends heartbeats to the URL and prints each status and its count. Without, it
// reads calls from its standard input, a JSON object a line, and prints each answer as one.
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const deviceWaits = time.Second

type Call struct {
	Method, Path string
	Body         *string
}

type Said struct {
	Status  int                 `json:"status"`
	Headers map[string][]string `json:"headers"`
	Body    string              `json:"body"`
	Error   string              `json:"error"`
}

func main() {
	url, ca, certificate, key := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(ca)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		panic("no CA")
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		panic(err)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: roots, Certificates: []tls.Certificate{pair},
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"},
	}}}
	if len(os.Args) == 5 {
		converse(&client, url)
		return
	}
	callers, _ := strconv.Atoi(os.Args[5])
	calls, _ := strconv.Atoi(os.Args[6])
	answers := map[string]int{}
	var lock sync.Mutex
	var wait sync.WaitGroup
	for caller := 0; caller < callers; caller++ {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for call := 0; call < calls; call++ {
				said := try(&client, url)
				lock.Lock()
				answers[said]++
				lock.Unlock()
			}
		}()
	}
	wait.Wait()
	for said, count := range answers {
		fmt.Printf("%s %d\n", said, count)
	}
}

func try(client *http.Client, url string) string {
	body := []byte(`{"events":null,"playbook-executions":null,"workloads":null}` + "\n")
	request, err := http.NewRequest(http.MethodPut, url, bytes.NewReader(body))
	if err != nil {
		return err.Error()
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return "error"
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	return strconv.Itoa(answer.StatusCode)
}

func converse(client *http.Client, base string) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var call Call
		if err := json.Unmarshal(lines.Bytes(), &call); err != nil {
			panic(err)
		}
		said, _ := json.Marshal(one(client, base, call))
		fmt.Println(string(said))
	}
}

func one(client *http.Client, base string, call Call) Said {
	patience, hangUp := context.WithTimeout(context.Background(), deviceWaits)
	defer hangUp()
	var body io.Reader
	if call.Body != nil {
		body = strings.NewReader(*call.Body)
	}
	request, err := http.NewRequestWithContext(patience, call.Method, base+call.Path, body)
	if err != nil {
		return Said{Error: err.Error()}
	}
	request.Header.Set("Accept", "application/json")
	if call.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := client.Do(request)
	if err != nil {
		return Said{Error: err.Error()}
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return Said{Error: err.Error()}
	}
	return Said{Status: answer.StatusCode, Headers: answer.Header, Body: string(content)}
}
