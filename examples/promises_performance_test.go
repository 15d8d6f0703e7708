package examples

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// performancePromises are those of binary/PERFORMANCE.md.
var performancePromises = []promise{
	{"![Throughput and p99", ""},
	{"Exact figures, beside", "TestReadme_FiguresAreThoseOfTheLastRun"},
	{"This page says where", ""},
	{"A client for memcached can", ""},
	{"The first is best", ""},
	{"The second is best", ""},
	{"This client does both", "TestSpread_FewOperationsHaveAConnectionEach TestSpread_ManyOperationsConcentrateOnTwoConnections"},
	{"**Spread when quiet", "TestSpread_FewOperationsHaveAConnectionEach TestLanes_AreSharedFromSixOperationsOn"},
	{"From six on small ones", "TestSpread_ManyOperationsConcentrateOnTwoConnections TestLanes_FollowWhatWritesFind TestLanes_AreForOperationsBelowAKibibyte TestSpread_LargeValuesUseAllConnections"},
	{"Operations of 512 KiB and more", "TestLanes_LargeOperationsAreAlone TestQueue_LargeOperationsGoOneByOneInTheirOrder"},
	{"While another connection", "TestRoom_WhileAConnectionIsOpened TestStart_RefusedConnectionMakesRoomOnTheFirst"},
	{"The others wait for room", "TestStart_CallsAreSpreadOverTheConnections TestStart_OfACrowdedClient TestStart_SecondAttemptsAreSpreadOverTheConnections TestSendAway_ThoseWhoCameLastButForSmallOnesInALane"},
	{"**Callers write for each other.**", "TestWrites_AreCoalesced"},
	{"Whoever finds no writer", "TestWrites_AreCoalesced"},
	{"Before that it lets others", "TestWriter_YieldsOnlyToCallersWhoComeBack"},
	{"What the kernel does not take", "TestWrites_ThatTheKernelDoesNotTakeAtOnce TestSet_LeavesThoughTheServerReadsNothing"},
	{"With TLS, for values", "TestFitsInline_OnlyWhatASocketCertainlyTakes TestSocket_CallersWriteWhateverIsUnanswered"},
	{"**Callers read for each other.**", "TestManyCallersShareOneConnection"},
	{"It hands out the responses", "TestManyCallersShareOneConnection TestCancelledCallersDoNotDisturbOthers"},
	{"There are no goroutines", "TestIdleClient_HoldsNoGoroutines"},
	{"**System calls without a word", "TestSocket_DoesAsPackageNet TestSocket_IsWhatConnectionsReadAndWrite TestSocket_WritesInPieces"},
	{"Reads are announced", "TestLanes_ReadersKnowWhetherFewShare"},
	{"Where seccomp forbids", "TestSeccomp_WithoutSystemCallsOfSockets"},
	{"**Fewer bytes back.**", "TestMulti_PiecesOf128KeysOr64KiB TestRequests_AreTheBytesOfTheProtocol"},
	{"Only the last request", "TestMulti_PiecesOf128KeysOr64KiB"},
	{"**No copies that can be avoided.**", "TestLargeValues_AreNotCopied TestMulti_PiecesOf128KeysOr64KiB"},
	{"Set, Delete, Touch and Increment", "TestAllocations"},
	{"Tests hold these promises.", "TestAllocations TestLargeValues_AreNotCopied"},
	{"**Leaving is free.**", "TestOperations_TimeoutAndContextHold"},
	{"Its response is recognised", "TestCancelledCallersDoNotDisturbOthers TestSlowServer_LateAnswersAreNobodyElses TestCancel_OnAConnectionThatWasIdleCostsNothing"},
	{"**Everything has a bound.**", "TestQueue_CallersWaitForRoomWithinTheirTime TestQueue_BytesAreBounded TestQueue_TooManyWaitingIsErrUnavailableAtOnce"},
	{"Large batches are sent", "TestMulti_PiecesOf128KeysOr64KiB TestGetMulti_ManyKeysDoNotStallASingleGet"},
	{"What is checked for every", "TestGet_BrokenFrames TestGetMulti_OneFlippedBit"},
	{"A mismatch closes", "TestGet_BrokenFrames TestMulti_AnswersOutOfOrderEndTheConnection"},

	// What to expect
	{"**Few callers (1 to 5):**", "TestPerformance_FiguresAreThoseOfTheResults"},
	{"A round trip is", ""},
	{"With eight it takes", "TestPerformance_FiguresAreThoseOfTheResults"},
	{"**Dozens to hundreds", "TestPerformance_FiguresAreThoseOfTheResults"},
	{"This is the usual place", ""},
	{"**Large values:**", "TestPerformance_FiguresAreThoseOfTheResults"},
	{"**Many keys:**", "TestMulti_PiecesOf128KeysOr64KiB TestManyKeys_OnThreeNodes"},
	{"Use them in place", "TestPerformance_FiguresAreThoseOfTheResults"},
	{"**Several servers:**", "TestCircle_MatchesLinearSearch TestPick_DoesNotAllocate"},
	{"**TLS and SASL:**", "TestAuth_EveryMechanism"},
	{"TLS costs", ""},
	{"The layers above add little", "TestPerformance_FiguresAreThoseOfTheResults TestHit_IsOneRoundTrip TestRoundTrips TestOperations"},
	{"For a hit cache and client", "TestHit_Allocations TestPerformance_FiguresAreThoseOfTheResults"},
	{"Requests for a page", "TestHotPage_RequestsJoinLookups"},
	{"The figures of this section", "TestPerformance_FiguresAreThoseOfTheResults"},
	{"Absolute rates say", ""},
	{"RESULTS.md was measured", "TestReport_NamesNoMachine"},
	{"Over a real network", "TestPerformance_FiguresAreThoseOfTheResults"},

	// Measuring
	{"It starts its own memcached", "TestRun_RotatesTheOrder TestRun_AlternatesBetweenSlices TestRun_EndsAtAWrongValue"},
	{"`-server host:port`", ""},
	{"With few callers a machine", ""},
	{"A processor that has nothing", ""},
	{"`-regimes quiet,awake`", "TestInRegimes TestKeepAwake_StartsOneForEachProcessorAndEnds"},
	{"`-curve` builds", "TestCurve_HasEveryCombination TestReplaceIn TestCurveVariants_AreOfTheClient"},
	{"A program's own numbers", "TestStats_Numbers TestTracer_SeesEachOperationOnceWithItsError"},

	// Tuning
	{"The defaults are meant", ""},
	{"What is worth a look", ""},
	{"| what | when", ""},
	{"| one `Client`", ""},
	{"| `MaxConns` (8)", "TestClient_OptionsAreACopy TestLanes_OneConnectionIsOneLane"},
	{"| `Timeout` (1 s)", "TestClient_OptionsAreACopy TestDialTimeout_HandshakesMayTakeLongerThanTimeout"},
	{"| batches", "TestMulti_PiecesOf128KeysOr64KiB"},
	{"| `AppendValue`", "TestAllocations"},
	{"| values |", ""},
	{"| `memcached -R` (20)", "TestMemcached_DefaultsThatPagesName TestTurns_OfAMultiGet"},
	{"| `memcached -t` (4)", "TestMemcached_DefaultsThatPagesName"},
	{"| `GOMAXPROCS`", ""},
	{"When a dashboard shows", "TestTurns_OfAMultiGet TestStats_Numbers"},
}

// figure is one of PERFORMANCE.md, and where RESULTS.md has it.
type figure struct{ text, section, row, column string }

// TestPerformance_FiguresAreThoseOfTheResults, as far as a figure with two digits
// can say: up to a fifth beside it is the next run.
func TestPerformance_FiguresAreThoseOfTheResults(t *testing.T) {
	page, results := read(t, "binary/PERFORMANCE.md"), read(t, "integration/bench/RESULTS.md")
	const page64 = "page of 2 KB out of the cache, 64 connections"
	for _, f := range []figure{
		{`With eight it takes ([\d.]+) of gomemcache's`, "Get 100 B, 8 callers", "gomemcache", "CPU/op"},
		{`with 64, ([\d.]+) times gomemcache's throughput`, "Get 100 B, 64 callers", "ours", "× gomemcache"},
		{`throughput for ([\d.]+) of its processor time`, "Get 100 B, 64 callers", "gomemcache", "CPU/op"},
		{`4 KiB are ([\d.]+) times`, "90 % Get, 10 % Set, 4 KiB, 64 callers", "ours", "× gomemcache"},
		{"`SetMulti` gains most, ([\\d.]+) times", "SetMulti of 100 keys, 1 caller", "ours", "× gomemcache"},
		{`64 callers have ([\d.]+) times`, "Get 100 B, 64 callers, a round trip longer by 1ms", "ours", "× gomemcache"},
		{`512 callers ([\d.]+) times`, "Get 100 B, 512 callers, a round trip longer by 1ms", "ours", "× gomemcache"},
		{`with net/http and gin a hit makes ([\d.]+),`, page64, "ours", "allocs/op"},
		{`and a page without a cache ([\d.]+)\.`, page64, "none", "allocs/op"},
	} {
		match := regexp.MustCompile(f.text).FindStringSubmatch(page)
		if match == nil {
			t.Errorf("PERFORMANCE.md does not say %q", f.text)
			continue
		}
		said, _ := strconv.ParseFloat(match[1], 64)
		measured := cell(t, results, f.section, f.row, f.column)
		if f.column == "CPU/op" && f.row != "ours" { // the ratio is said
			measured = cell(t, results, f.section, "ours", f.column) / measured
		}
		if math.Abs(said-measured) > measured/5 {
			t.Errorf("PERFORMANCE.md says %q, RESULTS.md has %.2f", match[0], measured)
		}
	}
	for _, callers := range []string{"1 caller", "2 callers", "4 callers"} {
		if ratio := cell(t, results, "Get 100 B, "+callers, "ours", "× gomemcache"); ratio < 0.8 {
			t.Errorf("about as fast: %s: %.2f", callers, ratio)
		}
	}
	for what, holds := range map[string]bool{
		"a shorter tail with 64 callers": cell(t, results, "Get 100 B, 64 callers", "ours", "p99") < cell(t, results, "Get 100 B, 64 callers", "gomemcache", "p99"),
		"one more allocation for a Get of the store": cell(t, results, "gocache store on top of the client, Get 100 B, 1 caller", "ours", "allocs/op") <=
			cell(t, results, "gocache store on top of the client, Get 100 B, 1 caller", "client alone", "allocs/op")+1.1,
	} {
		if !holds {
			t.Errorf("RESULTS.md does not have what PERFORMANCE.md says: %s", what)
		}
	}
}

// units are those of times, in microseconds.
var units = map[string]float64{"ns": 1e-3, "µs": 1, "ms": 1e3, "s": 1e6}

// cell returns a number of RESULTS.md.
func cell(t *testing.T, results, section, row, column string) float64 {
	t.Helper()
	_, text, found := strings.Cut(results, "\n### "+section+"\n")
	if !found {
		t.Fatalf("RESULTS.md has no section %q", section)
	}
	text, _, _ = strings.Cut(text, "\n### ")
	at := -1
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
			if at < 0 && cells[i] == column {
				at = i
			}
		}
		if at > 0 && at < len(cells) && cells[0] == row {
			number, unit, _ := strings.Cut(strings.ReplaceAll(cells[at], ",", ""), " ")
			value, err := strconv.ParseFloat(number, 64)
			if err != nil {
				t.Fatalf("RESULTS.md: %s: %v", line, err)
			}
			if factor, ok := units[unit]; ok {
				value *= factor
			}
			return value
		}
	}
	t.Fatalf("RESULTS.md: %q has no %q of %q", section, column, row)
	return 0
}
