// Command database reads books from a database (SQLite) through memcached, under
// load: 200 visitors of two processes read 20 books and one that is not there.
//
// GetOrLoad asks the database once for each book, for all of them together. "There
// is none" is an answer, too. A change is seen at once by all processes.
package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	libstore "github.com/eko/gocache/lib/v4/store"
	_ "modernc.org/sqlite"

	"github.com/bmemcached/bmemcached-go/examples/internal/connect"
	"github.com/bmemcached/bmemcached-go/store"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// Book is a row of the database.
type Book struct {
	ID    int
	Title string
	Words int
}

const (
	books    = 20
	visitors = 200
	reads    = 50 // of each visitor
)

func run(ctx context.Context, out io.Writer) error {
	library, err := open(ctx)
	if err != nil {
		return err
	}
	defer library.close()
	client, stop, err := connect.Client(os.Getenv, nil)
	if err != nil {
		return err
	}
	defer stop()
	var shelves []*shelf
	for range 2 { // processes
		s, err := library.shelf(client)
		if err != nil {
			return err
		}
		defer s.close()
		shelves = append(shelves, s)
	}
	// What an earlier run left in a memcached of yours.
	if err := shelves[0].cached.Clear(ctx); err != nil {
		return err
	}

	var missing atomic.Int64
	var wg sync.WaitGroup
	failed := make(chan error, visitors)
	for v := range visitors {
		wg.Go(func() {
			for i := range reads {
				id := 1 + (v+i)%(books+1) // the last one is not there
				switch book, err := shelves[v%2].book(ctx, id); {
				case errors.Is(err, store.ErrNotFound):
					missing.Add(1)
				case err != nil:
					failed <- err
					return
				case book.ID != id:
					failed <- fmt.Errorf("book %d is %+v", id, book)
					return
				}
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		return err
	default:
	}
	fmt.Fprintf(out, "%d reads of %d books made %d queries\n", visitors*reads, books, library.queries.Load())
	fmt.Fprintf(out, "a book that is not there was asked for: %v\n", missing.Load() > 0)

	if err := shelves[0].rename(ctx, 7, "Emma"); err != nil {
		return err
	}
	for i, s := range shelves {
		book, err := s.book(ctx, 7)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "process %d sees %q\n", i+1, book.Title)
	}
	fmt.Fprintf(out, "%d queries in all\n", library.queries.Load())
	return nil
}

// library is the database.
type library struct {
	db      *sql.DB
	folder  string
	queries atomic.Int64
}

func open(ctx context.Context) (*library, error) {
	folder, err := os.MkdirTemp("", "library")
	if err != nil {
		return nil, err
	}
	l := &library{folder: folder}
	if l.db, err = sql.Open("sqlite", filepath.Join(folder, "books.db")+"?_pragma=busy_timeout(10000)"); err != nil {
		return nil, errors.Join(err, l.close())
	}
	_, err = l.db.ExecContext(ctx, `CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL)`)
	for id := 1; id <= books && err == nil; id++ {
		_, err = l.db.ExecContext(ctx, `INSERT INTO books VALUES (?, ?)`, id, fmt.Sprint("Book ", id))
	}
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *library) close() error {
	var err error
	if l.db != nil {
		err = l.db.Close()
	}
	return errors.Join(err, os.RemoveAll(l.folder))
}

// read asks the database for a book, in a slow query.
func (l *library) read(ctx context.Context, id int) (Book, error) {
	l.queries.Add(1)
	book := Book{ID: id}
	err := l.db.QueryRowContext(ctx, `
		WITH RECURSIVE word(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM word WHERE n < 20000 + ?1)
		SELECT title, (SELECT count(*) FROM word) FROM books WHERE id = ?1`, id).Scan(&book.Title, &book.Words)
	if errors.Is(err, sql.ErrNoRows) {
		return Book{}, fmt.Errorf("book %d: %w", id, store.ErrNotFound) // an answer that is kept
	}
	return book, err
}

// shelf is the library as a process sees it, through memcached.
type shelf struct {
	*library
	cached *store.Typed[Book]
}

func (l *library) shelf(client store.Client) (*shelf, error) {
	cached, err := store.NewTyped[Book](client, &store.Options{
		Prefix:    "library:",
		KeepStale: 10 * time.Minute, // for when the database fails
		OnError:   func(op string, err error) { log.Printf("cache: %s: %v", op, err) },
	})
	if err != nil {
		return nil, err
	}
	return &shelf{l, cached}, nil
}

func (s *shelf) close() { _ = s.cached.Close() } // waits for loads in the background

// tag is the tag of a book, which its changes invalidate.
func tag(id int) string { return fmt.Sprint("book:", id) }

// book returns a book.
func (s *shelf) book(ctx context.Context, id int) (Book, error) {
	return s.cached.GetOrLoad(ctx, fmt.Sprint(id), time.Minute, func(ctx context.Context) (Book, error) {
		return s.read(ctx, id)
	}, libstore.WithTags([]string{tag(id)}))
}

// rename changes a book. What was read before it is not kept, even by a process
// that is reading it at this moment.
func (s *shelf) rename(ctx context.Context, id int, title string) error {
	if _, err := s.db.ExecContext(ctx, `UPDATE books SET title = ? WHERE id = ?`, title, id); err != nil {
		return err
	}
	return s.cached.Invalidate(ctx, libstore.WithInvalidateTags([]string{tag(id)}))
}
