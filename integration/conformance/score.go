package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// test is what the suite says of one of its tests.
type test struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	DependsOn []string `json:"depends_on"`
}

const (
	required = "required"
	optimal  = "optimal"
	check    = "check"
)

// listTests is the suite's own list, without what is for browsers only.
const listTests = `
import tests from './tests/index.mjs'
console.log(JSON.stringify(tests.flatMap(s => s.tests).filter(t => !t.browser_only)
  .map(t => ({ id: t.id, name: t.name, kind: t.kind || 'required', depends_on: t.depends_on || [] }))))
`

func (s *suite) tests(ctx context.Context) ([]test, error) {
	cmd := exec.CommandContext(ctx, "node", "--no-warnings", "--input-type=module", "--eval", listTests)
	cmd.Dir = s.dir
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("conformance: listing the tests: %w", err)
	}
	var tests []test
	return tests, json.Unmarshal(out.Bytes(), &tests)
}

// score counts what passed. A test whose dependency failed does not count, as on
// the suite's own pages.
type score struct {
	passed, total map[string]int
	failed        []test
	why           map[string]string
}

func grade(tests []test, r results) score {
	byID := make(map[string]test, len(tests))
	for _, t := range tests {
		byID[t.ID] = t
	}
	s := score{passed: map[string]int{}, total: map[string]int{}, why: map[string]string{}}
	for _, t := range tests {
		s.total[t.Kind]++
		if why := fails(t, byID, r); why != "" {
			s.failed = append(s.failed, t)
			s.why[t.ID] = why
			continue
		}
		s.passed[t.Kind]++
	}
	return s
}

// fails returns why a test does not count as passed, or "".
func fails(t test, byID map[string]test, r results) string {
	for _, id := range t.DependsOn {
		if why := fails(byID[id], byID, r); why != "" {
			return "depends on " + id
		}
	}
	switch result := r[t.ID].(type) {
	case bool:
		if result {
			return ""
		}
	case []any:
		return fmt.Sprint(result...)
	}
	return "not run"
}

// published returns the results that the suite publishes of a cache, or nil.
func (s *suite) published(name string) results {
	data, err := os.ReadFile(filepath.Join(s.dir, "results", name+".json"))
	if err != nil {
		return nil
	}
	var r results
	if json.Unmarshal(data, &r) != nil {
		return nil
	}
	return r
}
