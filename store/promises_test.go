package store_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promises has beside each sentence of the package documentation and of
// Typed.GetOrLoad, by how it begins, the tests that hold it, here or in
// integration/store. A sentence without tests promises nothing: it says why, or what
// something else does.
var promises = []struct{ sentence, tests string }{
	// Time to live
	{"The memcached protocol does not return", "TestComparison"},
	{"So the store keeps the deadline with the item", "TestGetWithTTL_SaysWhatRemains TestLayers_ChainKeepsCopiesForTheTimeThatIsLeft"},
	{"The bytes of the value stay", "TestSet_BytesStayRawWhateverTheTTL"},
	{"An expiration of 0", "TestGetWithTTL_ZeroOnlyWhenItNeverExpires TestServer_TTLs"},
	{"Only then does GetWithTTL return 0.", "TestGetWithTTL_ZeroOnlyWhenItNeverExpires"},
	{"A negative one means", "TestSet_NegativeTTLRemoves TestServer_TTLs"},
	{"One above 0 and below a millisecond", "TestOptions_WhatTheStoreCannotDoIsAnError TestTouch_TTLBelowAMillisecondIsRefused"},
	{"It can only be a forgotten unit", ""},
	{"A TTL is exact", "TestSet_TTLIsExact TestServer_TTLIsExact"},
	{"The server's clock has whole seconds", "TestSet_FractionsAreExactAndTheServerKeepsItemsLonger"},
	{"The remaining time is known", "TestStamp_KeepsDeadline TestSet_LongTTLs"},
	{"Items of other clients have", "TestGetWithTTL_ForeignItemsHaveUnknownTTL"},
	{"GetWithTTL returns Options.UnknownTTL", "TestGetWithTTL_ForeignItemsHaveUnknownTTL TestLayers_ChainKeepsCopiesForTheTimeThatIsLeft"},
	{"Deadlines are compared", "TestStamp_FollowsClock"},
	{"It should be right", "TestStamp_ToleratesSlowClock"},
	// Tags
	{"A tag is a counter", "TestInvalidate_IsOneIncrementHoweverManyItems"},
	{"An item records the numbers", "TestEnvelope_RoundTrip TestTags_SetUnderWayWhenInvalidated"},
	{"Get compares them", "TestRoundTrips"},
	{"Invalidate raises the counter", "TestInvalidate_IsOneIncrementHoweverManyItems TestTags_HundredThousandItems TestTags_SixteenWritersLoseNothing"},
	{"When the server has evicted", "TestTags_MissingCounterMeansInvalid TestTags_EvictedCountersMeanInvalid TestTags_CounterComesBackHigher"},
	{"When a counter cannot be read", "TestTags_CounterOutOfReachIsAnError"},
	{"Counters live longer", "TestTags_CounterOutlivesItsItems TestTags_TTLIsHonoured"},
	{"A value that was read from a database", "TestTags_SetAfterAnInvalidationIsValid"},
	{"GetOrLoad can.", "TestGetOrLoad_WhatHappensDuringTheLoadWins"},
	// Loading
	{"Typed.GetOrLoad returns a value", "TestGetOrLoad_LoadsOnceForAll"},
	{"user, err := users.GetOrLoad", ""},
	{"Of all goroutines and processes", "TestGetOrLoad_LoadsOnceForAll TestLoad_ThousandCallersInTwoProcessesLoadOnce TestManyKeys_OneLoadPerLife"},
	{"It owns a lock", "TestLoad_KilledInTheMiddle"},
	{"When its process dies, the lock", "TestGetOrLoad_ADeadProcessDelaysOthersForAFewSecondsOnly TestLoad_KilledInTheMiddle"},
	{"Values that are in use", "TestGetOrLoad_OneRefreshesBeforeTheEnd TestManyKeys_OneLoadPerLife"},
	{"When loading fails, old values", "TestGetOrLoad_OldValueWhenLoadFails TestLoad_FailsWhileAnOldValueIsThere"},
	{"\"There is none\" is an answer", "TestGetOrLoad_ThereIsNoneIsAnAnswer"},
	{"Options.OnEvent is told", "TestGetOrLoad_LoadsOnceForAll TestGetOrLoad_OldValueWhenLoadFails"},
	{"What changes during a load", "TestGetOrLoad_WhatHappensDuringTheLoadWins TestLoad_InvalidateDuringTheLoadWins"},
	{"Invalidate and Clear make", "TestGetOrLoad_WhatHappensDuringTheLoadWins"},
	{"A value that was set or deleted meanwhile", "TestGetOrLoad_WhatHappensDuringTheLoadWins TestGetOrLoad_AnotherClientDeletesTheValueDuringARefresh"},
	{"The Delete of a Store does not.", "TestGetOrLoad_DeleteOfAStoreLeavesTheLock"},
	// Chains
	{"gocache's chain copies", "TestLayers_ChainKeepsCopiesForTheTimeThatIsLeft"},
	{"Invalidations and deletes in other", "TestChain_CopiesOutliveAnInvalidationByTheBound"},
	{"NewBounded limits", "TestChain_CopiesOutliveAnInvalidationByTheBound TestBounded_KeepsNothingForLonger"},
	// Keys, prefixes and Clear
	{"Any string is a key", "TestKeys_AreValidAndDistinct TestTags_AnyStringIsOne TestServer_AnyKeyAnyValue"},
	{"What memcached does not permit", "TestKeys_AreValidAndDistinct TestKeys_ValidOnesStayAsTheyAre"},
	{"Without Options.Prefix, Clear", "TestClear_WithoutPrefixFlushesEveryServer TestComparison"},
	{"With a prefix, Clear", "TestClear_TouchesOnlyThePrefix TestClear_GenerationsThatAreOverNeverComeBack"},
	{"All processes see that at once", "TestClear_IsSeenByAllProcessesAtOnce TestClear_UnderLoad"},
	{"The price is", "TestRoundTrips"},
	// Values
	{"A Store keeps []byte", "TestNative_ComesBackAsItWentIn TestValues_ComeBackAsTheyWentIn"},
	{"Numbers are stored as decimal text", "TestNative_NumbersAreDecimalText TestServer_CountsInOurItems"},
	{"Other types, including named ones", "TestNative_UnsupportedTypes TestErrors_UnsupportedValuesLeaveTheOldOne"},
	{"NewTyped stores values", "TestTyped_KeepsStructs TestTyped_Any TestTyped_Slices"},
	{"Nil is refused.", "TestServer_BadInputLeavesValueAndConnection TestNative_UnsupportedTypes"},
	{"An empty value is a value.", "TestValues_EmptyIsAHit"},
	// Other clients
	{"Other clients read", "TestFleet_EachReadsWhatTheOtherWrote"},
	{"This store reads their values", "TestFleet_EachReadsWhatTheOtherWrote"},
	{"So a fleet can be moved", "TestFleet_Overwrites TestFleet_SeveralServers TestFleet_TTLs"},
	{"The codecs in the subpackages", "TestCodec_OtherLanguagesReadTheSame TestFlags_LowBitsAreForOtherClients"},
	// Errors
	{"A miss is libstore.NotFoundWithCause", "TestErrors_MissIsExactlyNotFound"},
	{"The error of a context", "TestErrors_ContextErrorIsReturnedAsSuch"},
	{"Every other error is a fault", "TestErrors_UnavailableServerIsNeverNotFound TestErrors_CorruptItems TestErrors_KeysThatAreNoStrings TestErrors_ClosedClient"},
	{"An unavailable server is never a miss", "TestErrors_UnavailableServerIsNeverNotFound TestServer_UnavailableAndBack TestLayers_ChainErrorsComeToLight TestErrors_OnErrorIsToldOfFaultsOnly"},

	// GetOrLoad
	{"GetOrLoad returns the value of key.", "TestGetOrLoad_LoadsOnceForAll"},
	{"If there is none it calls load", "TestGetOrLoad_LoadsOnceForAll"},
	{"It calls load once", "TestGetOrLoad_LoadsOnceForAll TestLoad_ThousandCallersInTwoProcessesLoadOnce"},
	{"The others wait", "TestGetOrLoad_ALeaderThatLeavesDelaysNobody TestGetOrLoad_WaitingEndsWithTheLastCaller"},
	{"The value lives for ttl.", "TestManyKeys_OneLoadPerLife"},
	{"0 means that it does not expire; a negative", "TestGetOrLoad_RefusesWhatItCannotHonour"},
	{"The options are the value's tags", "TestGetOrLoad_WhatHappensDuringTheLoadWins TestGetOrLoad_RefusesWhatItCannotHonour"},
	{"An Invalidate, Clear", "TestGetOrLoad_WhatHappensDuringTheLoadWins"},
	{"In the last tenth", "TestGetOrLoad_OneRefreshesBeforeTheEnd TestGetOrLoad_NoRefreshWhereItIsOff"},
	{"When load fails, callers get", "TestGetOrLoad_OldValueWhenLoadFails TestGetOrLoad_ErrorWithoutOldValue TestGetOrLoad_AFailedRefreshDisturbsNobody"},
	{"An error that wraps ErrNotFound", "TestGetOrLoad_ThereIsNoneIsAnAnswer"},
	{"So does a nil pointer", "TestGetOrLoad_NilPointerSaysThereIsNone"},
	{"That is an answer", "TestGetOrLoad_ThereIsNoneIsAnAnswer"},
	{"load runs on another goroutine", "TestGetOrLoad_ALeaderThatLeavesDelaysNobody TestGetOrLoad_ALoadThatHangsEndsInTime"},
	{"Its context has the values", "TestGetOrLoad_LoadHasTheValuesOfTheContext"},
	{"When load panics", "TestGetOrLoad_PanicsInTheCallerOnly"},
	{"When its process dies, another load", "TestGetOrLoad_ADeadProcessDelaysOthersForAFewSecondsOnly TestLoad_KilledInTheMiddle"},
	{"While memcached does not answer", "TestGetOrLoad_WithoutMemcachedEveryProcessLoads TestGetOrLoad_MemcachedStopsDuringTheLoad TestLoad_MemcachedStopsInTheMiddle"},
	{"Without compare-and-swap", "TestServer_WithoutCompareAndSwap TestReplicate"},
}

func TestPromises_EverySentenceHasItsTest(t *testing.T) {
	tests := testNames(t)
	sentences := append(sentencesOf(t, "doc.go", "// # Time to live\n", "\npackage store"),
		sentencesOf(t, "getorload.go", "import (", "\nfunc (t *Typed[T]) GetOrLoad")...)
	used := map[string]bool{}
	for _, sentence := range sentences {
		found := false
		for _, p := range promises {
			if strings.HasPrefix(sentence, p.sentence) {
				found, used[p.sentence] = true, true
			}
		}
		if !found {
			t.Errorf("no test is named for %q", sentence)
		}
	}
	for _, p := range promises {
		if !used[p.sentence] {
			t.Errorf("nothing says %q any more", p.sentence)
		}
		for name := range strings.FieldsSeq(p.tests) {
			if !slices.Contains(tests, name) {
				t.Errorf("%q: there is no %s", p.sentence, name)
			}
		}
	}
}

// sentencesOf returns the sentences of the comments between two places of a file.
func sentencesOf(t *testing.T, file, from, to string) (sentences []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), from)
	part, _, found := strings.Cut(rest, to)
	if !found {
		t.Fatalf("%s has no part from %q to %q", file, from, to)
	}
	var comments []string
	for line := range strings.Lines(part) {
		if comment, ok := strings.CutPrefix(line, "//"); ok {
			comments = append(comments, strings.TrimPrefix(strings.TrimPrefix(comment, " "), "\t"))
		}
	}
	part = regexp.MustCompile(`(?m)^ *- `).ReplaceAllString(strings.Join(comments, ""), "\n")
	for paragraph := range strings.SplitSeq(part, "\n\n") {
		paragraph = strings.Join(strings.Fields(paragraph), " ")
		if paragraph == "" || strings.HasPrefix(paragraph, "#") {
			continue
		}
		start := 0
		for _, end := range regexp.MustCompile("[.)] [A-Z0-9\"]").FindAllStringIndex(paragraph, -1) {
			if paragraph[end[0]] == '.' || strings.HasSuffix(paragraph[:end[0]+1], ".)") {
				sentences = append(sentences, paragraph[start:end[0]+1])
				start = end[0] + 2
			}
		}
		sentences = append(sentences, paragraph[start:])
	}
	return sentences
}

// testNames are the tests of the store, here and on real memcached.
func testNames(t *testing.T) (names []string) {
	t.Helper()
	if _, err := os.Stat("../integration/store"); err != nil {
		t.Skip("this is the published module, without the integration tests")
	}
	for _, pattern := range []string{"*_test.go", "../integration/store/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
				names = append(names, string(match[1]))
			}
		}
	}
	return names
}
