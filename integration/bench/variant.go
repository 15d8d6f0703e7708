package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// The client's thresholds are constants, and no options. To see what others
// would give, a variant is this program built with other values of them: the
// compiler is handed copies of the client's files in which the values are
// replaced, so that neither the client nor its files know of it.

// enginePackage is where the constants are.
const enginePackage = "github.com/bmemcached/bmemcached-go/binary"

// parseVariant reads "name=value,name=value".
func parseVariant(text string) (map[string]string, error) {
	values := map[string]string{}
	for pair := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || name == "" || value == "" {
			return nil, fmt.Errorf("bench: variant %q: want constant=value, constant=value", text)
		}
		if _, err := parser.ParseExpr(value); err != nil {
			return nil, fmt.Errorf("bench: variant %q: %w", text, err)
		}
		values[name] = value
	}
	return values, nil
}

// buildVariant builds this program with those values of the client's constants,
// and puts it into folder.
func buildVariant(ctx context.Context, folder, text string) (program string, err error) {
	values, err := parseVariant(text)
	if err != nil {
		return "", err
	}
	dir, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", enginePackage).Output()
	if err != nil {
		return "", fmt.Errorf("bench: go list: %w", explain(err))
	}
	replaced, err := replaceConstants(strings.TrimSpace(string(dir)), values)
	if err != nil {
		return "", fmt.Errorf("bench: variant %q: %w", text, err)
	}
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for path, source := range replaced {
		copied := filepath.Join(folder, filepath.Base(path))
		if err := os.WriteFile(copied, source, 0o600); err != nil {
			return "", err
		}
		overlay.Replace[path] = copied
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	description := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(description, data, 0o600); err != nil {
		return "", err
	}
	program = filepath.Join(folder, "bench")
	build := exec.CommandContext(ctx, "go", "build", "-overlay", description, "-o", program, ".")
	if _, err := build.Output(); err != nil {
		return "", fmt.Errorf("bench: variant %q: %w", text, explain(err))
	}
	return program, nil
}

// replaceConstants returns the files of a package that change when its constants
// have those values. Each has to be there once.
func replaceConstants(dir string, values map[string]string) (map[string][]byte, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	found := map[string]int{}
	replaced := map[string][]byte{}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		changed, names, err := replaceIn(source, values)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			found[name]++
			replaced[path] = changed
		}
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if found[name] != 1 {
			errs = append(errs, fmt.Errorf("%d constants %s in the client, want one with a value of its own", found[name], name))
		}
	}
	return replaced, errors.Join(errs...)
}

// replaceIn gives a file's constants other values, and returns their names.
func replaceIn(source []byte, values map[string]string) (changed []byte, names []string, err error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", source, parser.SkipObjectResolution)
	if err != nil {
		return nil, nil, err
	}
	var at []ast.Expr
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		for _, spec := range group.Specs {
			constants := spec.(*ast.ValueSpec)
			for i, value := range constants.Values {
				if name := constants.Names[i].Name; values[name] != "" {
					names, at = append(names, name), append(at, value)
				}
			}
		}
	}
	changed = source
	for i, value := range slices.Backward(at) { // what lies behind has moved
		from, to := files.Position(value.Pos()).Offset, files.Position(value.End()).Offset
		changed = slices.Concat(changed[:from], []byte(values[names[i]]), changed[to:])
	}
	return changed, names, nil
}
