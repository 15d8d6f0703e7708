package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// suite is the release of Debian that the image holds.
const suite = "bookworm"

// ensureImage makes sure that the engine has the Debian image called name: as
// it is, pulled, or made here.
func ensureImage(ctx context.Context, c client.APIClient, name string) error {
	if _, err := c.ImageInspect(ctx, name); err == nil || !errdefs.IsNotFound(err) {
		return err
	}
	say("pulling %s", name)
	pulling := pull(ctx, c, name)
	if pulling == nil {
		return nil
	}
	if err := canInstall(); err != nil {
		return fmt.Errorf("%s cannot be pulled (%w) and not be made here: %w", name, pulling, err)
	}
	say("%s cannot be pulled (%v), making it with debootstrap", name, pulling)
	return bootstrap(ctx, c, name)
}

func pull(ctx context.Context, c client.APIClient, name string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	response, err := c.ImagePull(ctx, name, client.ImagePullOptions{})
	if err != nil {
		return err
	}
	return response.Wait(ctx)
}

// bootstrap installs a minimal Debian into a folder and imports that as an image.
func bootstrap(ctx context.Context, c client.APIClient, name string) (err error) {
	if missing("debootstrap") {
		if err := install(ctx, "debootstrap", "debian-archive-keyring"); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("/var/tmp", "debootstrap")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// MkdirTemp's 0700 would keep every user but root out of the image.
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	args := []string{"--variant=minbase", suite, dir}
	if archive := mirror(ctx); archive != "" {
		args = append(args, archive)
	}
	if err := system(ctx, "debootstrap", args...); err != nil {
		return err
	}
	return importFolder(ctx, c, dir, name)
}

// importFolder makes an image of what dir holds.
func importFolder(ctx context.Context, c client.APIClient, dir, name string) error {
	tar := exec.CommandContext(ctx, "tar", "-C", dir, "-c", ".")
	files, err := tar.StdoutPipe()
	if err != nil {
		return err
	}
	if err := tar.Start(); err != nil {
		return err
	}
	source := client.ImageImportSource{Source: files, SourceName: "-"}
	response, err := c.ImageImport(ctx, source, name, client.ImageImportOptions{})
	if err == nil {
		_, err = io.Copy(io.Discard, response)
		response.Close()
	}
	files.Close() // lets tar end where the engine has stopped reading
	if err := errors.Join(err, tar.Wait()); err != nil {
		return fmt.Errorf("import %s: %w", name, err)
	}
	return nil
}
