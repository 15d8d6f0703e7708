// Package demo tests the demonstration site of examples/demo from the outside:
// the program as make demo runs it, memcached in containers, and a real browser
// that walks through the pages. What the browser sees it keeps as screenshots in
// .cache/screens at the top of the repository.
package demo
