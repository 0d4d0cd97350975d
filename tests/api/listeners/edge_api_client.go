// Calls the device plane with a client set up as the Edge API's is: a bare transport with a TLS configuration, which
// so speaks HTTP/1.1 only, TLS 1.3, an announcement of h2, and two idle connections. Prints status and count.
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
)

func main() {
	url, ca, certificate, key := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	callers, _ := strconv.Atoi(os.Args[5])
	calls, _ := strconv.Atoi(os.Args[6])
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
