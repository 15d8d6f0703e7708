package middleware_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promises has beside each sentence of the package documentation, and of SECURITY.md about
// cached responses, by how it begins, the tests that hold it, here or in
// integration/middleware. A sentence without tests promises nothing: it is advice.
var promises = []struct{ sentence, tests string }{
	{"Package middleware is a shared HTTP cache", "TestGet_SecondRequestIsServedFromMemcached TestWrap_StoresAndReuses"},
	{"Responses are stored and reused as", "TestReuse_EndsWithTheLifetime TestReuse_WithoutTTLOnlyWhatSaysSo TestEvaluate_Freshness TestJudge"},
	{"A hit is one round trip", "TestHit_IsOneRoundTrip"},
	{"Concurrent requests for the same missing page", "TestCollapse_ConcurrentMissesRunTheHandlerOnce TestCollapse_AcrossProcesses TestProcesses_HundredColdRequestsEachRunTheHandlerOnce"},
	{"Concurrent requests for the same stored page", "TestHotPage_RequestsJoinLookups TestHotPage_WhoComesAfterAPurgeJoinsNoOlderLookup"},
	{"So a hot page does not cost", "TestHotPage_RequestsJoinLookups"},
	{"Pages with variants or tags are looked up", "TestHit_IsOneRoundTrip"},
	{"These responses are not stored: those on which", "TestSetCookie_IsNeitherStoredNorShared TestGet_ResponsesThatMustNotBeStored TestCredentials_AreNotOnlyAuthorization TestAuthorization_PublicResponsesAreShared TestSession_MakesAResponsePrivate"},
	{"A response is stored when it is complete, or not at all.", "TestStored_OnlyWhenTheHandlerReturned TestStored_NotWhenTheHandlerWasCutShort TestProxy_NothingIsServedInPart"},
	{"Options.TTL stores pages for visitors with cookies", "TestPersonal_RequestsBypassTheCache"},
	{"Where one does, see", ""},
	{"The cache never breaks the site.", "TestFault_EveryResponseIsRight TestFaults"},
	{"When memcached is down, slow or full of garbage", "TestGet_MemcachedDownMeansTheHandlerRuns TestFault_GarbageIsAMissAndIsReplaced TestLookupTimeout_IsForAllOperationsTogether"},
	{"Streams pass through at once.", "TestStream_FirstByteAtOnce TestWrap_Streams"},

	{"The key consists of the scheme", "TestScheme_IsInTheKey TestGet_KeyHasHostPathAndQuery TestVary_SelectsVariants TestKeys_NothingRunsTogether"},
	{"[Options.Key] may leave parameters out", "TestKey_HandlerSeesTheQueryOfTheKey TestKey_AddsToTheURL"},
	{"A part of the path that a layer above", "TestMounts_OfOneRouterAreDifferentPages TestMounts_RewrittenPathsAreDifferentPages"},
	{"Hosts are compared without the port", "TestHost_ImpliedPortsAreNone"},
	{"A handler whose response depends on any other field", ""},
	{"Accept-Language, X-Forwarded-For and", ""},
	{"A response with Content-Encoding varies", "TestVary_CodedResponsesVaryOnAcceptEncoding"},
	{"Some fields tell programs of another host", "TestSteering_NoneOfTheFieldsReachesTheHandler"},
	{"Whoever can set them could poison", ""},
	{"They are not in the key, and the cache removes", "TestSteering_FieldsOutsideTheKeyDoNotReachTheHandler TestPoison"},
	{"Vary lets such a field through", "TestSteering_FieldsThatTheResponseVariesOnReachIt"},
	{"Middleware above the cache sees all fields", "TestSteering_MiddlewareAboveSeesTheRequestAsItCame"},
	{"Requests that bypass the cache keep theirs.", "TestSteering_RequestsThatBypassTheCacheKeepTheirFields"},
	{"No such list is complete.", ""},
	{"A site that wants to be sure names the fields", "TestRequestFields_HandlersSeeNoOthers"},
	{"A request whose Connection field names", "TestPoison_FieldsThatConnectionNames"},
	{"Several lines of one field are one line", "TestVary_LinesOfOneFieldAreOneValue TestVary_AnotherSpellingOfAListPoisonsNothing"},

	{"The cache ignores the Cookie field", "TestPersonal_RequestsBypassTheCache"},
	{"A handler whose response depends on a cookie", "TestVary_LinesOfOneFieldAreOneValue TestGet_ResponsesThatMustNotBeStored TestSession_MakesAResponsePrivate"},
	{"[Options.PersonalCookies] is for sites", "TestPersonal_RequestsBypassTheCache"},
	{"[Options.PersonalFields] does the same", "TestPersonal_RequestsBypassTheCache"},
	{"A client that shows a TLS certificate", "TestPersonal_ClientCertificatesBypassTheCache"},
	{"Where the certificate is that of a proxy", "TestPersonal_ClientCertificatesBypassTheCache"},
	{"A response on which anybody sets a cookie", "TestSetCookie_IsNeitherStoredNorShared TestSession_AboveTheCacheGetsItsCookieOut TestSetCookie_OnceTheFirstByteIsOut TestComposition_SCSAround"},
	{"When middleware above has set one before", "TestComposition_CSRFAround"},
	{"[Options.NeutralCookies] names those", "TestNeutralCookies_GoToTheirVisitorOnly TestSetCookie_NeutralOneOfMiddlewareAboveStaysLive"},

	{"Middleware above the cache sees every request", "TestHeaders_OfMiddlewareAboveStayLive TestCORS_BeforeTheCacheStaysLive TestCompression_AboveTheCache TestComposition_AnswersAsWithoutTheCache"},
	{"Middleware below runs when the handler does", "TestGzip_OutsideAndInside TestHeader_OfHitAndMissIsTheSame"},
	{"Whatever anybody puts into the header", "TestSession_AboveTheCacheGetsItsCookieOut TestHeader_OfLayersBelowAPanicReachesTheClient TestTags_SetAboveCount"},
	{"Writers above get the calls", "TestComposition_AnswersAsWithoutTheCache TestComposition_NetHTTPAnswersAsWithoutTheCache"},
	{"A handler that states another status", "TestHandler_ThatFailsHalfWayIsNotStored"},
	{"Middleware above that holds the whole response back", "TestAbove_LayerThatHoldsTheResponseBack"},
	{"So is what stands above middleware that gives", ""},
	{"Use the timeout above these", ""},

	{"Browsers that reload send", "TestReuse_RequestDirectives"},
	{"Such requests for one response share runs", "TestReload_ThoseAtOnceShareRuns TestReload_OneThatHangsHoldsUpNobody"},
	{"So they cost one run after the other", "TestReload_WhoComesDuringARunGetsTheNext"},
	{"[Options.IgnoreRequestDirectives] answers", "TestIgnoreRequestDirectives_ReloadsDoNotReachTheHandler"},
	{"Other requests have a run each", "TestReload_OthersRunEach TestReload_WhatIsNotForAllIsSharedWithNobody"},
	{"A site that must bound them", ""},

	{"Every response has a Cache-Status field", "TestCacheStatus_SaysWhatHappened TestCacheStatus_IsAStructuredField"},
	{"[Options.OnEvent] tells the same", "TestOnEvent_TellsWhatHappened"},

	{"[Cache.Purge] makes one page", "TestPurge_RemovesAllVariantsInAllProcesses TestPurge_FindsThePageByAnyName"},
	{"[Cache.PurgeTags] does so for every page", "TestTags_PurgeWhatCarriesThem TestTags_CostDoesNotDependOnTheNumberOfResponses"},
	{"Both take effect in all processes at once", "TestPurge_RemovesAllVariantsInAllProcesses TestPurge_FillInFlightIsNotVisibleAfterwards TestTags_FillInFlightIsNotVisibleAfterwards TestPurges_WhoComesLaterGetsNothingOlder"},
	{"Tags that middleware above the cache sets", "TestTags_SetAboveCount"},
	{"With [Options.PathTags], [Cache.PurgeAll]", "TestPathTags_PurgeWhatIsBelow TestPathTags_WhatCannotPurgeIsAnError"},
	{"[Cache.SoftPurge], [Cache.SoftPurgeTags]", "TestSoftPurge_StaleIsSentWhileOneRevalidates TestSoftPurge_CoversErrorsAsLongAsTheResponseSays TestSoftPurge_TheHandlerMayConfirm TestSoftPurge_WhatIsMadeMeanwhileIsNotFresh"},
	{"A successful unsafe request", "TestUnsafe_InvalidatesOnSuccessOnly TestUnsafe_CommitAfterTheResponse"},
	{"The last of these takes a context", ""},

	{"No value in memcached has the Cookie", "TestDump_HasNothingOfRequests"},
	{"Pages are readable there unless", "TestSealed_ReaderLearnsNothing"},
	{"A value that was changed or moved is a miss", "TestEntry_DamageIsNoticed TestDump_EntryOfAnotherPrefixIsAMiss TestForged_LockHoldsNobodyUp"},
	{"Processes that share pages should have", ""},
	{"[Options.MaxRecordings] bounds", "TestAbuse_ClientsThatDoNotReadTakeBoundedMemory"},

	{"A response is not cached when its handler returns", "TestStored_OnlyWhenTheHandlerReturned"},
	{"A mere status of gin", "TestUnsent_WhatOthersSendLaterIsNotStored"},
	{"Nor is a response without Content-Length", "TestStored_NotWhenTheHandlerWasCutShort TestStream_OfGinIsNotStoredInPart"},
	{"A handler sees Accept-Language sorted", "TestPoison_OrderOfLanguages"},
	{"A 206 is never stored", "TestRange_206IsNeverStored TestRange_IsCutFromAStoredResponse TestRange_IsNotCutBelowCompression"},
	{"HEAD is answered from a stored GET.", "TestHEAD_IsAnsweredFromGET"},

	{"The middleware is a shared cache", ""},
	{"It does not store responses with", "TestSetCookie_IsNeitherStoredNorShared TestGet_ResponsesThatMustNotBeStored TestCredentials_AreNotOnlyAuthorization TestPersonal_ClientCertificatesBypassTheCache TestSession_MakesAResponsePrivate"},
	{"Sessions of scs are seen where", "TestComposition_SCSAround"},
	{"Scheme, host and the full URL", "TestScheme_IsInTheKey TestGet_KeyHasHostPathAndQuery TestMounts_OfOneRouterAreDifferentPages"},
	{"Key and handler see the same query", "TestKey_HandlerSeesTheQueryOfTheKey TestVary_LinesOfOneFieldAreOneValue TestVary_AnotherSpellingOfAListPoisonsNothing"},
	{"A page that was made while handlers", "TestPoison_ParametersThatALayerAboveHasTaken"},
	{"Request headers that commonly steer", "TestSteering_NoneOfTheFieldsReachesTheHandler TestSteering_FieldsThatTheResponseVariesOnReachIt"},
	{"No list is complete", "TestRequestFields_HandlersSeeNoOthers"},
	{"A request whose `Connection`", "TestPoison_FieldsThatConnectionNames"},
	{"No entry and no key in memcached holds", "TestDump_HasNothingOfRequests TestSealed_ReaderLearnsNothing"},
	{"What comes out of an entry", "TestForged_EntryDoesNotSplitResponses TestEntry_CostsWhatItIsLong"},
	{"A lock that nobody renews", "TestForged_LockHoldsNobodyUp TestForged_LockWithoutVersionsHoldsNobodyUpForLong"},
	{"The memory for bodies is bounded", "TestAbuse_ClientsThatDoNotReadTakeBoundedMemory TestAbuse_ClientsThatDoNotReadWhatIsStoredKeepNothingFromBeingStored TestAbuse_ClientsThatDoNotReadAPageKeepItFromNobody"},
	{"Requests that ask for the handler's word", "TestReload_ThoseAtOnceShareRuns TestReload_WhoComesDuringARunGetsTheNext"},
	{"Requests with credentials, `no-store`", "TestReload_OthersRunEach"},
	{"A response is stored when it is complete: not", "TestStored_OnlyWhenTheHandlerReturned TestProxy_NothingIsServedInPart"},
	{"An entry that was altered", "TestEntry_DamageIsNoticed TestFault_GarbageIsAMissAndIsReplaced TestKey_OfAnotherRequestIsNotServed TestDump_EntryOfAnotherPrefixIsAMiss"},
	{"An attacker who can write to memcached can still", ""},
	{"With them a reader learns sizes", "TestSealed_ReaderLearnsNothing TestSealed_WriterCanOnlyDelete TestSealed_EntryOfAnotherPrefixOfTheClient"},
	{"The number of purges, which the server counts", "TestSealed_NumberOfPurgesUndoesNone TestForged_NumberOfPurgesStopsNothing"},
	{"**Cookies are not in the key.**", "TestPersonal_RequestsBypassTheCache"},
	{"`StoreSetCookie` shares", "TestStoreSetCookie_SharesIt"},
	{"It exists for sites", ""},
}

func TestPromises_EverySentenceHasItsTest(t *testing.T) {
	tests := testNames(t)
	sentences := append(sentencesOf(t, "doc.go", "", "\npackage middleware"),
		sentencesOf(t, "../.github/SECURITY.md", "## Cached responses\n", "\n## Sessions")...)
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

// TestPromises_SecurityNamesTestsThatExist.
func TestPromises_SecurityNamesTestsThatExist(t *testing.T) {
	tests := testNames(t)
	for _, sentence := range sentencesOf(t, "../.github/SECURITY.md", "## Cached responses\n", "\n## Sessions") {
		for _, name := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(sentence, -1) {
			if !slices.Contains(tests, name[1]) {
				t.Errorf("%q: there is no %s", sentence, name[1])
			}
		}
	}
}

// sentencesOf returns the sentences between two parts of a file, without programs.
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
	part = regexp.MustCompile(`(?m)^//\t.*$`).ReplaceAllString(part, "")
	part = regexp.MustCompile(`(?m)^// ?`).ReplaceAllString(part, "")
	part = regexp.MustCompile(`(?m)^- `).ReplaceAllString(part, "\n")
	ends := regexp.MustCompile("\\. [A-Z`\\[*]")
	for paragraph := range strings.SplitSeq(part, "\n\n") {
		paragraph = strings.Join(strings.Fields(paragraph), " ")
		if paragraph == "" || strings.HasPrefix(paragraph, "#") {
			continue
		}
		start := 0
		for _, end := range ends.FindAllStringIndex(paragraph, -1) {
			sentences = append(sentences, paragraph[start:end[0]+1])
			start = end[0] + 2
		}
		sentences = append(sentences, paragraph[start:])
	}
	return sentences
}

// testNames are the tests of the response cache, here and on real memcached.
func testNames(t *testing.T) (names []string) {
	t.Helper()
	if _, err := os.Stat("../integration/middleware"); err != nil {
		t.Skip("this is the published module, without the integration tests")
	}
	for _, pattern := range []string{"*_test.go", "internal/*/*_test.go", "../integration/middleware/*_test.go"} {
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
