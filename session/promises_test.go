package session_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// promises has beside each sentence of the package documentation and of
// SECURITY.md about sessions, by how it begins, the tests that hold it, here or in
// integration/session. A sentence without tests promises nothing: it is advice.
var promises = []struct{ sentence, tests string }{
	{"The cookie is the key.", "TestASVS_7_2_1_TokensAreVerifiedOnTheServer"},
	{"It carries 256 random bits", "TestASVS_7_2_3_TokensAreUniqueAndRandom TestCookie_ComesBackAsItWas"},
	{"The key in memcached is an HMAC of them and", "TestID_NamesAreUnrelated TestOpen_OnlyWithTheIDTheKeyAndThePrefix"},
	{"Whoever reads memcached finds", "TestDump_GivesNothingAway TestList_HoldsNothingInClear"},
	{"Whoever can write to memcached can delete", "TestAttack_Replay TestAttack_SwappedRecords TestAttack_SCSRecordMadeByAnother"},
	{"A record that is copied to another prefix", "TestAttack_RecordCopiedToAnotherPrefix"},
	{"All this holds for the sessions of scs", "TestAttack_SCSRecordMadeByAnother TestAttack_SCSRecordCopiedToAnotherPrefix TestSCS_DumpGivesNothingAway"},
	{"What ended stays ended.", "TestLogout_WinsAgainstARequestInFlight TestRevoke_DuringARequest TestStateMachine_InProcess"},
	{"A logout that answered has ended the session, whatever renewal ran beside it.", "TestLogout_BesideRenew TestStateMachine_InProcess"},
	{"For that a renewal leaves a forward", "TestLogout_AfterSeveralRenewals TestLogout_BesideRenew"},
	{"If memcached evicts the forward, a logout with the old cookie ends", "TestLogout_AfterTheForwardWasEvicted"},
	{"A session is created with ADD", "TestNeverAnUnconditionalWrite TestOperations"},
	{"A request that saves after another logged out", "TestLogout_WinsAgainstARequestInFlight TestRenew_RequestInFlightCannotRecreateTheOldID"},
	{"IDs that are unknown", "TestUnknownIDs_AreNeverAdopted"},
	{"Of several cookies of one name", "TestCookie_AnEndedOneInFront TestCookie_SeveralAlive TestCookie_ManyOfOneName"},
	{"Parallel requests lose nothing.", "TestParallelRequests_LoseNothing TestStateMachine_InProcess"},
	{"A save stores what this request changed", "TestParallelRequests_LoseNothing TestMerge"},
	{"If two requests change one key", "TestMerge TestStateMachine_InProcess"},
	{"Lists of type []any", "TestMerge_TakingWhatAnotherTookIsAConflict"},
	{"So a message is delivered once", "TestFlash_OneOfTenParallelReadersGetsIt TestFlash_WithAutosaveReadersNeedNotLookAtErrors"},
	{"The exception is a session that two requests renew", "TestStateMachine_InProcess TestRenew_DoubleClickedLogin"},
	{"Scs stores sessions whole", "TestSCS_LaterCommitReplacesTheEarlierOne"},
	{"After a read that failed", "TestFailedRead_NothingIsOverwritten"},
	{"The session is then empty", "TestFailedRead_NothingIsOverwritten"},
	{"A browser that leaves stops nothing.", "TestBrowserLeaves_AutosaveStillSaves"},
	{"Operations on memcached go on", "TestCancelledRequest_LoadsAndSaves"},
	{"They keep the context's values", "TestContext_OfTheClientHasTheRequestsValues TestPassedDeadline_FailsAtOnce"},
	{"They end with the client's", "TestDeadline_IsKeptAsIsTheTimeout TestClientWithoutTimeout_IsNotWaitedForWithoutEnd"},
	{"A request that does not touch its session", "TestOperations TestBind_OneRoundTrip TestIdleTimeout_RolledByLoading"},
	{"Nothing is written and no cookie", "TestOperations TestCookie_NotSentAgainWhileItIsRight"},
	{"One with a MaxAge is sent again", "TestMaxAge_RollsForActiveUsers"},
	{"What the cookie says", "TestMaxAge_IsKeptUnlessATimeoutWasChosen"},
	{"The cookie of an active user", "TestMaxAge_RollsForActiveUsers"},
	{"[Store.Remember] gives", "TestRemember"},
	{"At login: [Store.Renew]", "TestASVS_7_2_4_NewTokenAtAuthentication TestASVS_7_4_2_AllSessionsEndWhenAnAccountIsDisabled"},
	{"With gin-contrib/sessions use the functions", "TestGinSave_SeesNoChangeAfterStoreRenew"},
	{"At logout: Options", "TestMaxAge_NegativeDeletes TestFailedLogout_KeepsTheCookieToTryAgainWith"},
	{"[Store.List] shows", "TestList_SaysWhenMadeAndUsed"},
	{"[Store.Revoke] ends one", "TestASVS_7_5_2_UsersSeeAndEndTheirSessions"},
	{"After a change of the password", "TestASVS_7_4_3_AllOtherSessionsEndAfterAPasswordChange"},
	{"Save before the first byte", "TestSave_AfterTheResponseHasStarted TestPrivate_SaveAfterTheResponseHasStarted"},
	{"[Autosave] does it.", "TestAutosave_SavesBeforeTheFirstByte"},
	{"A response that touched a session gets", "TestPrivate TestPrivate_WithoutAutosave"},
	{"[Private], around", "TestPrivate_AroundTheSite TestPrivate_WithACacheInBetween TestPrivate_SCS"},
	{"The response cache of this module", "TestPrivacy_ResponseCacheDoesNotStoreWhatTouchedASession TestPrivate_SCS"},
	{"Without Private it may miss", "TestTouched_IsMarked"},
	{"The session of one request is a map", ""},
	{"A store is.", "TestParallelRequests_LoseNothing TestDerived_FromManyGoroutines"},
	{"It has to keep versions", "TestServerWithoutVersions"},
	{"Eviction ends sessions", "TestAttack_ServerLosesEverything TestList_FailsClosedWhenEvicted"},
	{"Options.EjectAfter", ""},
	{"When that server comes back", ""},
	{"The cookie carries 256", "TestASVS_7_2_3_TokensAreUniqueAndRandom TestCookie_ComesBackAsItWas"},
	{"The key in memcached is an HMAC of them, and", "TestID_NamesAreUnrelated TestOpen_OnlyWithTheIDTheKeyAndThePrefix"},
	{"A dump of memcached holds", "TestDump_GivesNothingAway TestUserNames_DoNotAppearInKeys TestList_HoldsNothingInClear"},
	{"A record that is copied to another key", "TestAttack_SwappedRecords TestAttack_RecordCopiedToAnotherPrefix"},
	{"Authentication keys have", "TestKeys_AreCheckedByTheConstructors"},
	{"A session that ended stays ended", "TestNeverAnUnconditionalWrite TestUnknownIDs_AreNeverAdopted"},
	{"An scs token that was deleted", "TestSCS_DeletedTokenCannotComeBack"},
	{"`Renew` at login", "TestASVS_7_2_4_NewTokenAtAuthentication TestASVS_7_4_2_AllSessionsEndWhenAnAccountIsDisabled"},
	{"The sessions of a user stand", "TestList_HoldsNothingInClear TestList_FailsClosedWhenEvicted"},
	{"`Revoke` and `RevokeOthers`", "TestASVS_7_5_2_UsersSeeAndEndTheirSessions TestRevokeAll_FailsClosedWhenTheRosterWasEvicted"},
	{"A failed read never leads", "TestFailedRead_NothingIsOverwritten"},
	{"Parallel requests keep", "TestParallelRequests_LoseNothing"},
	{"With scs, which stores sessions whole", "TestSCS_LaterCommitReplacesTheEarlierOne"},
	{"A logout that answered has ended the session, whatever renewal ran beside it: ", "TestLogout_BesideRenew TestLogout_AfterSeveralRenewals"},
	{"If memcached evicts that forward", "TestLogout_AfterTheForwardWasEvicted"},
	{"With scs a logout beside", "TestSCS_LogoutBesideRenewTokenEndsTheOldTokenOnly"},
	{"The table of OWASP", "TestASVS_EveryItemHasARow"},
	{"For scs, tokens are drawn", "TestSCS_LoadAndSave"},
	{"Sessions are sealed under keys", "TestSCS_NothingPublicSealsASession TestAttack_SCSRecordMadeByAnother"},
	{"A session sealed under a key", "TestKeyRotation_SCS"},
	{"What the application has to do", ""},
}

func TestPromises_EverySentenceHasItsTest(t *testing.T) {
	tests := testNames(t)
	sentences := append(sentencesOf(t, "doc.go", "// # What is promised", "// # OWASP"),
		sentencesOf(t, "../.github/SECURITY.md", "## Sessions\n", "\n## Threats")...)
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

// sentencesOf returns the sentences between two lines of a file.
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
	part = regexp.MustCompile(`(?m)^//[ \t]?`).ReplaceAllString(part, "")
	part = regexp.MustCompile(`(?m)^- `).ReplaceAllString(part, "\n")
	for paragraph := range strings.SplitSeq(part, "\n\n") {
		paragraph = strings.Join(strings.Fields(paragraph), " ")
		if paragraph == "" || strings.HasPrefix(paragraph, "#") {
			continue
		}
		ends := regexp.MustCompile("\\. [A-Z`\\[]").FindAllStringIndex(paragraph, -1)
		start := 0
		for _, end := range ends {
			sentences = append(sentences, paragraph[start:end[0]+1])
			start = end[0] + 2
		}
		sentences = append(sentences, paragraph[start:])
	}
	return sentences
}

// testNames are the tests of sessions, here and on real memcached.
func testNames(t *testing.T) (names []string) {
	t.Helper()
	if _, err := os.Stat("../integration/session"); err != nil {
		t.Skip("this is the published module, without the integration tests")
	}
	for _, pattern := range []string{"*_test.go", "../integration/session/*_test.go"} {
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
