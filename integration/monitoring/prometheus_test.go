// Package monitoring_test loads the dashboard and the alert rules of package
// prommemcached into what they are made for: Grafana's own types, and a real
// Prometheus that watches real memcached with SASL through the package.
package monitoring_test

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/exec"

	"github.com/bmemcached/bmemcached-go/integration"
)

//go:embed testdata
var sources embed.FS

// rules is the folder of package prommemcached.
const rules = "../../binary/prommemcached/"

// longest bounds how long Prometheus may take to have seen something.
const longest = time.Minute

// prometheus is one that runs in a container on this machine's network.
type prometheus struct {
	container testcontainers.Container
	address   string
}

// startPrometheus starts one that reads alerts.yml and asks targets each second.
func startPrometheus(t *testing.T, targets ...string) *prometheus {
	t.Helper()
	if os.Getenv("MEMCACHED_INTEGRATION") == "off" {
		t.Skip("MEMCACHED_INTEGRATION=off")
	}
	files, err := fs.Sub(sources, "testdata")
	if err != nil {
		t.Fatal(err)
	}
	image, err := integration.BuildImage(context.Background(), "bmemcached-go-prometheus", files)
	if err != nil {
		t.Fatalf("image of Prometheus: %v", err)
	}
	p := &prometheus{address: freeAddress(t)}
	config, err := json.Marshal(map[string]any{ // YAML is a superset
		"global":         map[string]string{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"rule_files":     []string{"/alerts.yml"},
		"scrape_configs": []any{map[string]any{"job_name": "site", "static_configs": []any{map[string]any{"targets": targets}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	request := testcontainers.ContainerRequest{
		Image:  image,
		Labels: map[string]string{},
		Cmd:    []string{"--config.file=/prometheus.yml", "--storage.tsdb.path=/tmp/prometheus", "--web.listen-address=" + p.address},
		Files: []testcontainers.ContainerFile{
			{Reader: strings.NewReader(string(config)), ContainerFilePath: "/prometheus.yml", FileMode: 0o644},
			{HostFilePath: rules + "alerts.yml", ContainerFilePath: "/alerts.yml", FileMode: 0o644},
			{HostFilePath: rules + "alerts_test.yml", ContainerFilePath: "/alerts_test.yml", FileMode: 0o644},
		},
		HostConfigModifier: func(host *container.HostConfig) { host.NetworkMode = "host" },
	}
	if run := os.Getenv(integration.RunVariable); run != "" {
		request.Labels[integration.RunLabel] = run
	}
	p.container, err = testcontainers.GenericContainer(t.Context(), testcontainers.GenericContainerRequest{ContainerRequest: request, Started: true})
	testcontainers.CleanupContainer(t, p.container, testcontainers.StopTimeout(0))
	if err != nil {
		t.Fatalf("container of Prometheus: %v", err)
	}
	return p
}

// freeAddress returns a local address on which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// promtool runs Prometheus's own tool.
func (p *prometheus) promtool(t *testing.T, args ...string) (output string, ok bool) {
	t.Helper()
	code, reader, err := p.container.Exec(t.Context(), append([]string{"promtool"}, args...), exec.Multiplexed())
	if err != nil {
		t.Fatalf("promtool: %v", err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatalf("promtool: %v", err)
	}
	return string(text), code == 0
}

// get asks Prometheus and decodes the data of its answer.
func (p *prometheus) get(ctx context.Context, path string, query url.Values, data any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", answer.Status, answer.Error)
	}
	return nil
}

// eventually fails the test unless do returns nil within longest.
func eventually(t *testing.T, do func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(longest); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if err = do(); err == nil {
			return
		}
	}
	t.Fatalf("after %v still: %v", longest, err)
}
