package examples

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sessionPromises are those of package session and of SECURITY.md about sessions.
var sessionPromises = []promise{
	{"The cookie is the key.", "TestASVS_7_2_1_TokensAreVerifiedOnTheServer"},
	{"It carries 256 random bits", "TestASVS_7_2_3_TokensAreUniqueAndRandom TestCookie_ComesBackAsItWas"},
	{"The key in memcached is an HMAC of them and", "TestID_NamesAreUnrelated TestOpen_OnlyWithTheIDTheKeyAndThePrefix"},
	{"Whoever reads memcached finds", "TestDump_GivesNothingAway TestList_HoldsNothingInClear"},
	{"Whoever can write to memcached can delete", "TestAttack_Replay TestAttack_SwappedRecords TestAttack_SCSRecordMadeByAnother"},
	{"A record that is copied to another prefix", "TestAttack_RecordCopiedToAnotherPrefix"},
	{"All this holds for the sessions of scs", "TestAttack_SCSRecordMadeByAnother TestAttack_SCSRecordCopiedToAnotherPrefix TestSCS_DumpGivesNothingAway"},
	{"What ended stays ended.", "TestLogout_WinsAgainstARequestInFlight TestRevoke_DuringARequest TestStateMachine_InProcess"},
	{"A logout that answered has ended the session, whatever renewal ran beside it.", "TestLogout_BesideRenew TestStateMachine_InProcess"},
	{"For that a renewal leaves a forward", "TestLogout_AfterSeveralRenewals TestLogout_BesideRenew TestLogout_AfterTheForwardWasEvicted TestLogout_OfABoundSessionWithAnOldCookie"},
	{"If memcached evicts the forward of a session that was nobody's, or one from before a change of the keys, a logout with the old cookie ends", "TestLogout_AfterTheForwardOfNobodysSessionWasEvicted"},
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
	{"Where its Options.PersonalCookies name", "TestTouched_IsMarked TestPrivate_WithACacheInBetween"},
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
	{"`Revoke` and `RevokeOthers`", "TestASVS_7_5_2_UsersSeeAndEndTheirSessions TestRevokeAll_FailsClosedWhenTheRosterWasEvicted TestRoster_ThatCannotBeReadIsAnEmptyOne"},
	{"A failed read never leads", "TestFailedRead_NothingIsOverwritten"},
	{"Parallel requests keep", "TestParallelRequests_LoseNothing"},
	{"With scs, which stores sessions whole", "TestSCS_LaterCommitReplacesTheEarlierOne"},
	{"A logout that answered has ended the session, whatever renewal ran beside it: ", "TestLogout_BesideRenew TestLogout_AfterSeveralRenewals TestLogout_AfterTheForwardWasEvicted"},
	{"If memcached evicts the forward of a session that was nobody's, or one from before a change of the keys, a logout with the old cookie does", "TestLogout_AfterTheForwardOfNobodysSessionWasEvicted"},
	{"With scs a logout beside", "TestSCS_LogoutBesideRenewTokenEndsTheOldTokenOnly"},
	{"The table of OWASP", "TestASVS_EveryItemHasARow"},
	{"For scs, tokens are drawn", "TestSCS_LoadAndSave"},
	{"Sessions are sealed under keys", "TestSCS_NothingPublicSealsASession TestAttack_SCSRecordMadeByAnother"},
	{"A session sealed under a key", "TestKeyRotation_SCS"},
	{"What the application has to do", ""},
}

// TestASVS_EveryItemHasARow: the table of package session has a row for every item of
// the two chapters, a test for each row in which the package does something, and none
// for an item that there is not.
func TestASVS_EveryItemHasARow(t *testing.T) {
	doc, tests := read(t, "session/doc.go"), testsOf(t, "session")
	for _, name := range tests {
		parts := strings.SplitN(name, "_", 5) // TestASVS_7_2_3_…
		if parts[0] != "TestASVS" || name == "TestASVS_EveryItemHasARow" {
			continue
		}
		if len(parts) != 5 || !strings.Contains(doc, "\n//\t"+strings.Join(parts[1:4], ".")+"  ") {
			t.Errorf("%s is of an item that has no row", name)
		}
	}
	for chapter, items := range map[string]int{"3.3": 5, "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 3, "7.6": 2} {
		for n := range items {
			item := fmt.Sprintf("%s.%d", chapter, n+1)
			_, row, there := strings.Cut(doc, "\n//\t"+item+"  ")
			tested := slices.ContainsFunc(tests, func(name string) bool {
				return strings.HasPrefix(name, "TestASVS_"+strings.ReplaceAll(item, ".", "_")+"_")
			})
			if !there || tested == strings.HasPrefix(row, "nothing") {
				t.Errorf("%s: it has a row: %t, a test: %t", item, there, tested)
			}
		}
	}
}
