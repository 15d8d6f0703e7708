// Command conformance runs the public HTTP cache conformance suite
// (http-cache-tests) against the response cache and writes what came of it.
//
//	go run ./conformance                  fetches the suite from npm
//	go run ./conformance -fetch           does nothing but that, and says so if it cannot
//	go run ./conformance -newest          uses the newest version, in testdata, and
//	                                      writes no files
//	go run ./conformance -newest -suite DIR
//	                                      uses a checkout of the suite's repository
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
	"time"

	"github.com/bmemcached/bmemcached-go/middleware"
)

// options are the flags.
type options struct {
	dir, suite           string
	with                 framework
	newest, quiet, fetch bool
}

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "conformance", "folder of this program, where results go")
	flag.StringVar(&o.suite, "suite", "", "folder of the suite; empty: fetch version "+suiteVersion+" from npm")
	netHTTP := flag.Bool("nethttp", false, "measure the cache as a handler of net/http and write no files")
	flag.BoolVar(&o.newest, "newest", false, "the suite is newer than that on npm: keep its results apart")
	flag.BoolVar(&o.quiet, "quiet", false, "write no files")
	flag.BoolVar(&o.fetch, "fetch", false, "fetch the suite and measure nothing")
	flag.Parse()
	o.with = ginFramework
	if *netHTTP {
		o.with, o.quiet = netHTTPFramework, true
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, o)
	switch {
	case errors.Is(err, errNoNPM):
		fmt.Println("HTTP CACHE CONFORMANCE NOT MEASURED:", err)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.fetch {
		_, err := findSuite(ctx, o.dir, "", false)
		_, newestErr := findSuite(ctx, o.dir, "", true)
		return errors.Join(err, newestErr)
	}
	s, err := findSuite(ctx, o.dir, o.suite, o.newest)
	if err != nil {
		return err
	}
	with, err := measure(ctx, s, o.with, true)
	if err != nil {
		return err
	}
	without, err := measure(ctx, s, o.with, false)
	if err != nil {
		return err
	}
	tests, err := s.tests(ctx)
	if err != nil {
		return err
	}
	report := report{suite: s, tests: tests, with: grade(tests, with), without: grade(tests, without)}
	fmt.Print(report.summary())
	newest := filepath.Join(o.dir, "newest.json")
	switch {
	case o.quiet, o.newest && o.suite == "": // without the results of other caches
		return nil
	case o.newest:
		return writeJSON(newest, saved{report.rows(), report.missed(), with, without})
	}
	return errors.Join(
		writeJSON(filepath.Join(o.dir, "results-storesetcookie.json"), with),
		writeJSON(filepath.Join(o.dir, "results.json"), without),
		os.WriteFile(filepath.Join(o.dir, "RESULTS.md"), []byte(report.markdown(readSaved(newest))), 0o644),
	)
}

// readSaved returns what was measured with a newer suite, or nil.
func readSaved(name string) *saved {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil
	}
	s := new(saved)
	if json.Unmarshal(data, s) != nil {
		return nil
	}
	return s
}

func findSuite(ctx context.Context, dir, suiteDir string, newest bool) (*suite, error) {
	switch local := filepath.Join(dir, ".suite"); {
	case suiteDir != "":
		return openSuite(suiteDir)
	case newest:
		return installNewest(ctx, local, filepath.Join(dir, newestSuite))
	default:
		return install(ctx, local)
	}
}

// measure runs the suite once.
func measure(ctx context.Context, s *suite, with framework, storeSetCookie bool) (results, error) {
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
	a, err := startApp(client, o.url, with, &middleware.Options{
		StoreSetCookie: storeSetCookie, StaleIfUnreachable: true,
		LookupTimeout: 5 * time.Second, // a busy machine is not a broken cache
	})
	if err != nil {
		return nil, err
	}
	r, err := s.run(ctx, a.url)
	return r, errors.Join(err, a.stop())
}

func writeJSON(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(data, '\n'), 0o644)
}
