package ring

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCircle_MatchesLinearSearch compares the table with the plain definition,
// for points spread evenly and for points crowded into a few entries.
func TestCircle_MatchesLinearSearch(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for name, place := range map[string]func() uint32{
		"spread":  rnd.Uint32,
		"crowded": func() uint32 { return 1<<31 + rnd.Uint32N(300) },
		"ends":    func() uint32 { return []uint32{0, 1, math.MaxUint32 - 1, math.MaxUint32}[rnd.IntN(4)] },
	} {
		for _, n := range []int{1, 2, 3, 160, 1000} {
			points := make([]point, n)
			for i := range points {
				points[i] = newPoint(place(), i)
			}
			rnd.Shuffle(n, func(i, j int) { points[i], points[j] = points[j], points[i] })
			c := newCircle(points)
			want := slices.Sorted(slices.Values(points))
			if !slices.Equal(c.points, want) {
				t.Fatalf("%s, %d points: not sorted", name, n)
			}
			probes := []uint32{0, math.MaxUint32, 1 << 31}
			for _, p := range want {
				probes = append(probes, p.place()-1, p.place(), p.place()+1)
			}
			for _, probe := range probes {
				from := linear(want, func(p point) bool { return p.place() >= probe })
				after := linear(want, func(p point) bool { return p.place() > probe })
				if c.from(probe) != from || c.after(probe) != after {
					t.Fatalf("%s, %d points, place %d: from = %d, after = %d, want %d, %d",
						name, n, probe, c.from(probe), c.after(probe), from, after)
				}
			}
		}
	}
}

// linear is the position of the first point that ok holds for, or len(points).
func linear(points []point, ok func(point) bool) int {
	if i := slices.IndexFunc(points, ok); i >= 0 {
		return i
	}
	return len(points)
}
