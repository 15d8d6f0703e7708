package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"github.com/bmemcached/bmemcached-go/integration"
)

// engine is a container engine that answers.
type engine struct {
	client client.APIClient
	lease  *lease // of the dockerd that a setup started; nil: the engine is the machine's own
}

// acquire returns the engine that testcontainers finds, or one that it starts.
func acquire(ctx context.Context) (*engine, error) {
	starting, err := lockStart()
	if err != nil {
		return nil, err
	}
	defer starting.unlock()
	found, silence := find(ctx)
	if silence == nil {
		held, err := holdOurs()
		return &engine{client: found, lease: held}, err
	}
	if err := canStart(); err != nil {
		return nil, fmt.Errorf("no container engine answers (%w): %w\n%s", silence, err, instructions)
	}
	if missing("dockerd") {
		if err := install(ctx, "docker.io"); err != nil {
			return nil, err
		}
	}
	// On a machine with an init system, installing Docker starts it.
	if started, err := connect(ctx); err == nil {
		return &engine{client: started}, nil
	}
	if err := startDocker(ctx); err != nil {
		return nil, err
	}
	started, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	held, err := holdOurs()
	return &engine{client: started, lease: held}, err
}

// release stops the engine if a setup started it and nobody else uses it.
func (e *engine) release() error {
	e.client.Close()
	if os.Geteuid() != 0 {
		e.lease.unlock()
		return nil // root started it, and only root can stop it
	}
	if e.lease == nil {
		return nil
	}
	starting, err := lockStart()
	if err != nil {
		return err
	}
	defer starting.unlock()
	if !e.lease.last() {
		return nil
	}
	defer e.lease.unlock()
	return stopDocker()
}

// environment tells testcontainers how to use the engine.
func (e *engine) environment() []string {
	// The tests terminate their containers and setup removes what a crash
	// leaves, so testcontainers' own reaper and its image are not needed.
	env := []string{"TESTCONTAINERS_RYUK_DISABLED=true"}
	if e.lease != nil {
		// Ports are on this machine, even if it looks like a container itself.
		env = append(env, "DOCKER_HOST="+dockerHost, "TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1")
	}
	return env
}

// find returns the engine that testcontainers would use, if it answers.
func find(ctx context.Context) (client.APIClient, error) {
	provider, err := testcontainers.NewDockerProvider()
	if err != nil {
		return nil, err
	}
	return provider.Client(), ping(ctx, provider.Client())
}

// connect returns the engine on dockerd's own socket, if it answers.
func connect(ctx context.Context) (client.APIClient, error) {
	c, err := client.New(client.WithHost(dockerHost))
	if err != nil {
		return nil, err
	}
	return c, ping(ctx, c)
}

func ping(ctx context.Context, c client.APIClient) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := c.Ping(ctx, client.PingOptions{})
	return err
}

// canStart says why setup cannot start an engine on this machine, or nil.
func canStart() error {
	if host := os.Getenv("DOCKER_HOST"); host != "" && host != dockerHost {
		return fmt.Errorf("DOCKER_HOST is %s, and what runs there is not setup's to start", host)
	}
	return canInstall()
}

// removeContainers removes what the run left behind, such as the containers of
// tests that were killed.
func removeContainers(c client.APIClient, run string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	list, err := c.ContainerList(ctx, client.ContainerListOptions{
		All:     true,
		Filters: client.Filters{}.Add("label", integration.RunLabel+"="+run),
	})
	if err != nil {
		return fmt.Errorf("list containers of the run: %w", err)
	}
	var errs []error
	for _, container := range list.Items {
		say("removing container %s, which the run left behind", container.ID[:12])
		_, err := c.ContainerRemove(ctx, container.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

const instructions = `
The integration tests run memcached in containers. Install an engine and start it:

  Debian, Ubuntu   sudo apt-get install docker.io && sudo usermod -aG docker $USER
                   (then log in again), or run this as root, which does it all
  Fedora           sudo dnf install podman && systemctl --user enable --now podman.socket
                   export DOCKER_HOST=unix://$XDG_RUNTIME_DIR/podman/podman.sock
  macOS            Docker Desktop, or: brew install colima docker && colima start

MEMCACHED_INTEGRATION=off leaves the tests against real memcached out.`
