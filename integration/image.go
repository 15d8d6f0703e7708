package integration

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
)

// BaseImage is the image that memcached's own image is built on.
const BaseImage = "debian:bookworm-slim"

//go:embed testdata/Dockerfile testdata/others/Dockerfile testdata/entrypoint.sh
var sources embed.FS

// The images, built when a test first needs them. Not in a test's context: the
// tests that share an image come and go.
var (
	buildImage = sync.OnceValues(func() (string, error) {
		return buildServer("bmemcached-go-memcached", "testdata/Dockerfile")
	})
	buildOthers = sync.OnceValues(func() (string, error) {
		return buildServer("bmemcached-go-others", "testdata/others/Dockerfile")
	})
)

// buildServer builds an image whose Dockerfile has entrypoint.sh beside it.
func buildServer(name, dockerfile string) (string, error) {
	files := fstest.MapFS{}
	for as, path := range map[string]string{"Dockerfile": dockerfile, "entrypoint.sh": "testdata/entrypoint.sh"} {
		data, err := sources.ReadFile(path)
		if err != nil {
			return "", err
		}
		files[as] = &fstest.MapFile{Data: data}
	}
	return BuildImage(context.Background(), name, files)
}

// image returns the name of the image that has program, building it when this
// machine does not have it yet.
func image(tb testing.TB, program Program) string {
	tb.Helper()
	build := buildImage
	if program != Memcached {
		build = buildOthers
	}
	name, err := build()
	if err != nil {
		tb.Fatalf("image of %s: %v", cmp.Or(program, "memcached"), err)
	}
	return name
}

// BuildImage makes an image of files, which have a Dockerfile in their root, and
// keeps it; it returns its name with a tag. The tag is the hash of the files, so
// that a change to them is a new image and nothing else is: an image that this
// machine has already is not built again.
func BuildImage(ctx context.Context, name string, files fs.FS) (string, error) {
	archive, tag, err := buildContext(files)
	if err != nil {
		return "", err
	}
	provider, err := testcontainers.NewDockerProvider(testcontainers.WithLogger(silent{}))
	if err != nil {
		return "", err
	}
	defer provider.Close()
	tagged := name + ":" + tag
	if _, err := provider.Client().ImageInspect(ctx, tagged); err == nil || !errdefs.IsNotFound(err) {
		return tagged, err
	}
	var log bytes.Buffer
	tagged, err = provider.BuildImage(ctx, &testcontainers.ContainerRequest{
		FromDockerfile: testcontainers.FromDockerfile{
			ContextArchive: archive,
			Repo:           name,
			Tag:            tag,
			KeepImage:      true,
			BuildArgs:      proxyArgs(),
			BuildLogWriter: &log,
			// The host's network reaches package mirrors even where the engine has no bridge.
			BuildOptionsModifier: func(o *client.ImageBuildOptions) { o.NetworkMode = "host" },
		},
	})
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, log.Bytes())
	}
	return tagged, nil
}

// buildContext packs files as the engine wants them and returns the tag that
// stands for them.
func buildContext(files fs.FS) (archive io.ReadSeeker, tag string, err error) {
	var packed bytes.Buffer
	hash := sha256.New()
	w := tar.NewWriter(io.MultiWriter(&packed, hash))
	err = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data))}); err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	})
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, "", err
	}
	return bytes.NewReader(packed.Bytes()), hex.EncodeToString(hash.Sum(nil)[:6]), nil
}

// proxyArgs hands this machine's proxy on to the build, which the engine does
// not do by itself.
func proxyArgs() map[string]*string {
	args := map[string]*string{}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy"} {
		for _, name := range []string{name, strings.ToUpper(name)} {
			if value, ok := os.LookupEnv(name); ok {
				args[name] = &value
			}
		}
	}
	return args
}

// silent drops testcontainers' progress messages: a failing test shows the
// container's own log instead.
type silent struct{}

func (silent) Printf(string, ...any) {}
