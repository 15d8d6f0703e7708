package store_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"
)

// parseFiles returns the files of the package that users see.
func parseFiles(t *testing.T) []*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

// receiver returns the name of the type that f is a method of.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	expr := f.Recv.List[0].Type
	if p, ok := expr.(*ast.StarExpr); ok {
		expr = p.X
	}
	if generic, ok := expr.(*ast.IndexExpr); ok {
		expr = generic.X
	}
	return expr.(*ast.Ident).Name
}

// go doc shows a method on the type that it is declared on, and nothing of an
// embedded type that is not exported.
func TestDoc_StoreAndTypedShowTheirMethods(t *testing.T) {
	common := []string{
		"Clear", "Close", "Delete", "DeleteMulti", "Get", "GetMulti", "GetType", "GetWithTTL",
		"Invalidate", "Set", "SetIfNotExists", "SetMulti", "Touch",
	}
	want := map[string][]string{
		"Typed": append([]string{"GetOrLoad"}, common...),
		"Store": append([]string{"Decrement", "Increment"}, common...),
	}
	got := make(map[string][]string)
	for _, file := range parseFiles(t) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || !f.Name.IsExported() {
				continue
			}
			if on := receiver(f); want[on] != nil {
				got[on] = append(got[on], f.Name.Name)
			}
			if !strings.HasPrefix(f.Doc.Text(), f.Name.Name+" ") {
				t.Errorf("%s.%s has no doc comment that begins with its name", receiver(f), f.Name.Name)
			}
		}
	}
	for name, methods := range want {
		slices.Sort(methods)
		slices.Sort(got[name])
		if !slices.Equal(got[name], methods) {
			t.Errorf("%s declares %q, want %q", name, got[name], methods)
		}
	}
}
