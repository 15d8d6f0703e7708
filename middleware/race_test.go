//go:build race

package middleware_test

// raceDetector says that allocations are not what they are otherwise.
const raceDetector = true
