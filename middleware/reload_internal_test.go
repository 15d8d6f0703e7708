package middleware

import "testing"

// TestJoinNext_EveryoneGetsARunThatHasNotBegun, and nobody more than one.
func TestJoinNext_EveryoneGetsARunThatHasNotBegun(t *testing.T) {
	fs := new(flights)
	join := func(want *flight, wantBefore *flight, wantLead bool) *flight {
		t.Helper()
		f, before, leads := fs.joinNext("key")
		if want != nil && f != want || before != wantBefore || leads != wantLead {
			t.Fatalf("joinNext = %p after %p, leads %v, want %p after %p, %v", f, before, leads, want, wantBefore, wantLead)
		}
		return f
	}
	first := join(nil, nil, true)
	join(first, nil, false) // it has not begun
	fs.begin(first)
	second := join(nil, first, true)
	join(second, nil, false)
	fs.land(first, outcome{})
	join(second, nil, false) // it is its turn, and it has not begun
	fs.begin(second)
	third := join(nil, second, true)
	fs.land(third, outcome{again: true}) // its leader left
	fourth := join(nil, second, true)
	if fourth == third {
		t.Fatal("a flight that has landed is joined")
	}
	fs.begin(fourth) // beside the second, which takes long
	fs.land(second, outcome{})
	fifth := join(nil, fourth, true)
	fs.land(fourth, outcome{})
	fs.begin(fifth)
	fs.land(fifth, outcome{})
	if len(fs.m) != 0 {
		t.Errorf("%d flights are left", len(fs.m))
	}
}

// TestJoinNext_WhoComesAfterTheEndOfJoiningGetsTheNextRun: there is no third one beside.
func TestJoinNext_WhoComesAfterTheEndOfJoiningGetsTheNextRun(t *testing.T) {
	fs := new(flights)
	first, _, _ := fs.joinNext("key")
	fs.begin(first)
	second, before, leads := fs.joinNext("key")
	if before != first || !leads {
		t.Fatalf("the second is after %p, and leads: %v", before, leads)
	}
	fs.endJoining(first)
	if f, before, leads := fs.joinNext("key"); f != second || before != nil || leads {
		t.Errorf("joinNext = %p after %p, leads: %v, want %p", f, before, leads, second)
	}
	fs.land(first, outcome{})
	if f, _, leads := fs.joinNext("key"); f != second || leads {
		t.Errorf("then joinNext = %p, leads: %v, want %p", f, leads, second)
	}
	fs.begin(second)
	fs.endJoining(second)
	fs.land(second, outcome{})
	if len(fs.m) != 0 {
		t.Errorf("%d flights are left", len(fs.m))
	}
}
