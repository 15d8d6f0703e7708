package languages_test

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"

	"github.com/bmemcached/bmemcached-go/integration"
)

//go:embed testdata
var sources embed.FS

// buildLimit bounds the making of the image, which downloads some 200 MB.
const buildLimit = 10 * time.Minute

// A machine is a container in which the other languages are installed. All tests
// share one, and the programs that run in it: what takes time is starting them.
type machine struct {
	container testcontainers.Container
	provider  *testcontainers.DockerProvider
	drivers   drivers
}

var (
	shared  = sync.OnceValues(startMachine)
	running *machine // what shared has started
)

func TestMain(m *testing.M) {
	code := m.Run()
	host.stop()
	if running != nil {
		if err := running.stop(); err != nil && code == 0 {
			fmt.Println("FAIL: container of the languages:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// languages returns the machine, which it starts first if need be.
func languages(t *testing.T) *machine {
	t.Helper()
	m, err := shared()
	if err != nil {
		t.Fatalf("container of the languages: %v", err)
	}
	return m
}

// startMachine starts the container. It is on the host's network, so that its
// programs know the servers by the same addresses as this one does: they are
// hashed when servers are chosen for keys.
func startMachine() (*machine, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	files, err := fs.Sub(sources, "testdata")
	if err != nil {
		return nil, err
	}
	image, err := integration.BuildImage(ctx, "bmemcached-go-languages", files)
	if err != nil {
		return nil, err
	}
	request := testcontainers.ContainerRequest{
		Image:              image,
		Labels:             map[string]string{},
		HostConfigModifier: func(host *container.HostConfig) { host.NetworkMode = "host" },
	}
	if run := os.Getenv(integration.RunVariable); run != "" {
		request.Labels[integration.RunLabel] = run
	}
	m := &machine{}
	m.drivers.start = m.run
	if m.provider, err = testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{})); err != nil {
		return nil, err
	}
	m.container, err = m.provider.RunContainer(ctx, request)
	if err != nil {
		return nil, errors.Join(err, testcontainers.TerminateContainer(m.container), m.provider.Close())
	}
	running = m
	return m, nil
}

// stop ends the drivers and the container.
func (m *machine) stop() error {
	m.drivers.stop()
	return errors.Join(testcontainers.TerminateContainer(m.container, testcontainers.StopTimeout(0)), m.provider.Close())
}

// drivers are the programs that run, by command.
type drivers struct {
	start func(command []string) (*driver, error)

	mu      sync.Mutex // guards running
	running map[string]*driver
}

// get returns the driver that command starts, running.
func (ds *drivers) get(t *testing.T, command []string) *driver {
	t.Helper()
	ds.mu.Lock()
	defer ds.mu.Unlock()
	name := strings.Join(command, " ")
	d := ds.running[name]
	if d == nil || d.silent {
		var err error
		if d, err = ds.start(command); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if ds.running == nil {
			ds.running = map[string]*driver{}
		}
		ds.running[name] = d
	}
	return d
}

// stop ends them.
func (ds *drivers) stop() {
	for _, d := range ds.running {
		d.stop()
	}
}

// silent drops testcontainers' progress messages.
type silent struct{}

func (silent) Printf(string, ...any) {}
