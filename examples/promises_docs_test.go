package examples

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exportedDocs returns the comments of what a package exports, without its own and
// without programs.
func exportedDocs(t *testing.T, folder string) (texts []string) {
	t.Helper()
	fset, files := token.NewFileSet(), []*ast.File(nil)
	paths, err := filepath.Glob(filepath.Join(root, folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	pkg, err := doc.NewFromFiles(fset, files, folder)
	if err != nil {
		t.Fatal(err)
	}
	add := func(text string) {
		texts = append(texts, regexp.MustCompile(`(?m)^\t.*$`).ReplaceAllString(text, ""))
	}
	fields := func(text string, decl *ast.GenDecl) { // of structs, and the names of a list of variables
		add(text)
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Field:
				if len(n.Names) > 0 && n.Names[0].IsExported() {
					add(n.Doc.Text())
				}
			case *ast.ValueSpec:
				add(n.Doc.Text())
			}
			return true
		})
	}
	values := func(lists ...[]*doc.Value) {
		for _, list := range lists {
			for _, v := range list {
				fields(v.Doc, v.Decl)
			}
		}
	}
	functions := func(lists ...[]*doc.Func) {
		for _, list := range lists {
			for _, f := range list {
				add(f.Doc)
			}
		}
	}
	values(pkg.Consts, pkg.Vars)
	functions(pkg.Funcs)
	for _, typ := range pkg.Types {
		fields(typ.Doc, typ.Decl)
		values(typ.Consts, typ.Vars)
		functions(typ.Funcs, typ.Methods)
	}
	return texts
}
