// A heartbeat service as one would write it in Go: net/http and franz-go, a record for each heartbeat, acknowledged by
// all replicas, idempotent. It takes the same call as Muster and answers it in the same way.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	bodyLimitBytes = 1_000_000
	deadline       = 600 * time.Millisecond
	// Records waiting for their acknowledgement; more are refused at once.
	bufferedRecords = 60_000
)

var name = regexp.MustCompile(`^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$`)

type report struct {
	Name           *string `json:"name"`
	LastDataUpload *string `json:"last_data_upload"`
	Status         *string `json:"status"`
}

type event struct {
	Type    *string `json:"type"`
	Reason  *string `json:"reason"`
	Message *string `json:"message"`
}

// heartbeat has the fields that Muster checks; hardware is checked to be an object.
type heartbeat struct {
	Status             *string                    `json:"status"`
	Version            *string                    `json:"version"`
	Workloads          []*report                  `json:"workloads"`
	PlaybookExecutions []*report                  `json:"playbook-executions"`
	Upgrade            map[string]json.RawMessage `json:"upgrade"`
	Hardware           map[string]json.RawMessage `json:"hardware"`
	Events             []*event                   `json:"events"`
}

type service struct {
	client *kgo.Client
	topic  string
}

func (s *service) beat(answer http.ResponseWriter, request *http.Request) {
	namespace, device := request.PathValue("namespace"), request.PathValue("device")
	if !name.MatchString(namespace) || !name.MatchString(device) {
		refuse(answer, http.StatusBadRequest, "the path has a part that is no name")
		return
	}
	body, err := read(answer, request)
	if err != nil {
		return
	}
	var read heartbeat
	if err := json.Unmarshal(body, &read); err != nil {
		refuse(answer, http.StatusBadRequest, "the heartbeat cannot be read: "+err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	stored := make(chan error, 1)
	record := &kgo.Record{Topic: s.topic, Key: []byte(namespace + "/" + device), Value: body}
	s.client.TryProduce(ctx, record, func(_ *kgo.Record, err error) { stored <- err })
	select {
	case err = <-stored:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		answer.Header().Set("Retry-After", "1")
		refuse(answer, http.StatusServiceUnavailable, "Kafka did not acknowledge the heartbeat: "+err.Error())
		return
	}
	header := answer.Header()
	header.Set("Content-Length", "0")
	header.Set("Muster-Position", fmt.Sprintf("1-%d-%d-0", record.Partition, record.Offset))
	answer.WriteHeader(http.StatusOK)
}

// read takes the whole body; with its length known in one buffer of that size.
func read(answer http.ResponseWriter, request *http.Request) ([]byte, error) {
	limited := http.MaxBytesReader(answer, request.Body, bodyLimitBytes)
	var body []byte
	var err error
	if request.ContentLength >= 0 && request.ContentLength <= bodyLimitBytes {
		body = make([]byte, request.ContentLength)
		_, err = io.ReadFull(limited, body)
	} else {
		body, err = io.ReadAll(limited)
	}
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			refuse(answer, http.StatusRequestEntityTooLarge, err.Error())
		} else {
			refuse(answer, http.StatusBadRequest, err.Error())
		}
	}
	return body, err
}

func refuse(answer http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(map[string]string{"message": message})
	answer.Header().Set("Content-Type", "application/json")
	answer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	answer.WriteHeader(status)
	answer.Write(body)
}

func main() {
	host := flag.String("host", "127.0.0.1", "address to listen on")
	port := flag.Int("port", 8080, "port to listen on")
	bootstrap := flag.String("bootstrap", "127.0.0.1:9092", "Kafka's bootstrap servers, host:port,…")
	topic := flag.String("topic", "peer.heartbeats", "topic, which must exist")
	linger := flag.Duration("linger", 5*time.Millisecond, "how long records are collected for a batch")
	flag.Parse()

	// acks=all and the idempotent producer are franz-go's defaults; said here because they are the point.
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(*bootstrap, ",")...),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerLinger(*linger),
		kgo.MaxBufferedRecords(bufferedRecords),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := client.Ping(ctx); err != nil {
		log.Fatal(err)
	}
	calls := http.NewServeMux()
	served := &service{client, *topic}
	calls.HandleFunc("PUT /api/flotta-backend/v1/namespaces/{namespace}/devices/{device}/heartbeat", served.beat)
	server := &http.Server{Addr: fmt.Sprintf("%s:%d", *host, *port), Handler: calls, IdleTimeout: 120 * time.Second}
	go func() {
		<-ctx.Done()
		last, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		server.Shutdown(last)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
