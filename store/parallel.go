package store

import "sync"

// maxParallel is how many operations of one call run at once.
const maxParallel = 32

// each calls f for 0 to n-1, several at once, and returns the first error in
// their order.
func each(n int, f func(i int) error) error {
	if n == 1 {
		return f(0)
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	for worker := range min(n, maxParallel) {
		wg.Go(func() {
			for i := worker; i < n; i += maxParallel {
				errs[i] = f(i)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
