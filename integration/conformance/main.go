// Command conformance runs the public HTTP cache conformance suite
// (http-cache-tests) against the gin middleware and writes what came of it.
//
//	go run ./conformance                  fetches the suite from npm
//	go run ./conformance -suite DIR       uses a copy, such as a checkout
//
// The middleware stores in the memcached that MEMCACHED_SERVERS names (with
// MEMCACHED_USERNAME and MEMCACHED_PASSWORD), or in one inside this process.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/bmemcached/bmemcached-go/middleware"
)

func main() {
	dir := flag.String("dir", "conformance", "folder of this program, where results go")
	suiteDir := flag.String("suite", "", "folder of the suite; empty: fetch version "+suiteVersion+" from npm")
	only := flag.Bool("quiet", false, "write no files")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, *dir, *suiteDir, !*only)
	switch {
	case errors.Is(err, errNoNPM):
		fmt.Println("conformance: NOT RUN:", err)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, dir, suiteDir string, write bool) error {
	s, err := findSuite(ctx, dir, suiteDir)
	if err != nil {
		return err
	}
	with, err := measure(ctx, s, true)
	if err != nil {
		return err
	}
	without, err := measure(ctx, s, false)
	if err != nil {
		return err
	}
	tests, err := s.tests(ctx)
	if err != nil {
		return err
	}
	report := report{suite: s, tests: tests, with: grade(tests, with), without: grade(tests, without)}
	fmt.Print(report.summary())
	if !write {
		return nil
	}
	return errors.Join(
		writeJSON(filepath.Join(dir, "results-storesetcookie.json"), with),
		writeJSON(filepath.Join(dir, "results.json"), without),
		os.WriteFile(filepath.Join(dir, "RESULTS.md"), []byte(report.markdown()), 0o644),
	)
}

func findSuite(ctx context.Context, dir, suiteDir string) (*suite, error) {
	if suiteDir != "" {
		return openSuite(suiteDir)
	}
	return install(ctx, filepath.Join(dir, ".suite"))
}

// measure runs the suite once.
func measure(ctx context.Context, s *suite, storeSetCookie bool) (results, error) {
	client, closeClient, err := openClient()
	if err != nil {
		return nil, err
	}
	defer closeClient()
	o, err := s.startOrigin(ctx)
	if err != nil {
		return nil, err
	}
	defer o.stop()
	a, err := startApp(client, o.url, &middleware.Options{
		StoreSetCookie: storeSetCookie, StaleIfUnreachable: true,
	})
	if err != nil {
		return nil, err
	}
	r, err := s.run(ctx, a.url)
	return r, errors.Join(err, a.stop())
}

func writeJSON(name string, r results) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(data, '\n'), 0o644)
}
