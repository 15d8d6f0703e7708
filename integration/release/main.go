// Command release checks that the modules of this repository can be released as
// a version, and prints the commands that tag it, in their order:
//
//	make release VERSION=v0.1.0
//
// With -prepare it writes the version into the go.mod files first, with -tag it
// makes the tags. It pushes nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	prepare := flag.Bool("prepare", false, "write the version into the go.mod files, and end")
	tag := flag.Bool("tag", false, "make the tags")
	flag.Parse()
	if err := run(os.Stdout, "..", flag.Arg(0), *prepare, *tag); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run releases the repository at root.
func run(out io.Writer, root, version string, prepare, tag bool) error {
	modules, err := findModules(root)
	if err != nil {
		return err
	}
	if err := checkVersion(version); err != nil {
		return err
	}
	if prepare {
		return setVersion(root, modules, version)
	}
	if problems := check(root, modules, version); len(problems) > 0 {
		return fmt.Errorf("%s cannot be released:\n%w", version, errors.Join(problems...))
	}
	var tags []string
	for _, m := range inOrder(modules) {
		tags = append(tags, m.tag(version))
	}
	for _, name := range tags {
		if tag {
			if _, err := git(root, "tag", "-a", name, "-m", name); err != nil {
				return err
			}
		}
		fmt.Fprintf(out, "git tag -a %s -m %s\n", name, name)
	}
	fmt.Fprint(out, "git push --atomic origin")
	for _, name := range tags {
		fmt.Fprint(out, " ", name)
	}
	fmt.Fprintln(out)
	return nil
}
