package languages_test

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"

	"github.com/bmemcached/bmemcached-go/integration"
)

//go:embed testdata
var sources embed.FS

// buildLimit bounds the making of the image, which downloads some 200 MB.
const buildLimit = 10 * time.Minute

// A release is a release of Debian, with the clients that it ships.
type release struct {
	dockerfile string // in testdata

	once    sync.Once
	machine *machine // what once has started
	err     error
}

// The releases. bookworm has the clients of most languages; trixie those that are
// newer there, and frameworks over them.
var (
	bookworm = &release{dockerfile: "Dockerfile"}
	trixie   = &release{dockerfile: "trixie.Dockerfile"}
)

// suiteVariable names the environment variable with the release that is run in
// place of trixie: sid has the newest clients.
const suiteVariable = "MEMCACHED_LANGUAGES_SUITE"

// A machine is a container in which the other languages are installed. All tests
// share one, and the programs that run in it: what takes time is starting them.
type machine struct {
	container testcontainers.Container
	provider  *testcontainers.DockerProvider
	drivers   drivers
}

func TestMain(m *testing.M) {
	code := m.Run()
	host.stop()
	for _, r := range []*release{bookworm, trixie} {
		r.once.Do(func() {}) // it may be starting
		if r.machine == nil {
			continue
		}
		if err := r.machine.stop(); err != nil && code == 0 {
			fmt.Println("FAIL: container of the languages:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// languages returns the machine of most tests. When all of them run, the other one is
// made beside it, which takes a minute where its image is not there yet.
func languages(t *testing.T) *machine {
	t.Helper()
	if flag.Lookup("test.run").Value.String() == "" {
		go trixie.begin()
	}
	return bookworm.get(t)
}

// begin starts the release's machine, once.
func (r *release) begin() { r.once.Do(func() { r.machine, r.err = r.start() }) }

// get returns the release's machine, which it starts first if need be.
func (r *release) get(t *testing.T) *machine {
	t.Helper()
	r.begin()
	if r.err != nil {
		t.Fatalf("container of the languages: %v", r.err)
	}
	return r.machine
}

// files are what the release's image is made of.
func (r *release) files() (fs.FS, error) {
	dockerfile, err := sources.ReadFile("testdata/" + r.dockerfile)
	if err != nil {
		return nil, err
	}
	if suite := os.Getenv(suiteVariable); suite != "" {
		// Mirrors of what changes every day lag behind.
		other := "ARG SUITE=" + suite + "\nRUN echo 'Acquire::Check-Valid-Until \"false\";' >/etc/apt/apt.conf.d/lagging"
		dockerfile = bytes.Replace(dockerfile, []byte("ARG SUITE=trixie"), []byte(other), 1)
	}
	files := fstest.MapFS{"Dockerfile": {Data: dockerfile}}
	programs, err := fs.Glob(sources, "testdata/drivers/*")
	for _, name := range programs {
		var program []byte
		if program, err = sources.ReadFile(name); err != nil {
			break
		}
		files["drivers/"+path.Base(name)] = &fstest.MapFile{Data: program}
	}
	return files, err
}

// start starts the container. It is on the host's network, so that its programs
// know the servers by the same addresses as this one does: they are hashed when
// servers are chosen for keys.
func (r *release) start() (*machine, error) {
	ctx, cancel := context.WithTimeout(context.Background(), buildLimit)
	defer cancel()
	files, err := r.files()
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
