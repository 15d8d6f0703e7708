package examples

import (
	"slices"
	"strings"
	"testing"
)

// credentialPromises are those of SECURITY.md about authentication.
var credentialPromises = []promise{
	{"The client's authentication is SASL", "TestAuth_EveryMechanism TestScram_PublishedExchanges TestCramMD5_PublishedExchange TestPlain_Message"},
	{"`sasl.Auto` sends PLAIN, the password itself, only", "TestAuth_AutoSendsNoPlainPasswordOverTheNetwork TestAuth_AutoSendsNoPlainPasswordThroughAProxy TestAuth_TLSOfDialContextIsTLS TestAuto_StrengthOrder"},
	{"On any other connection it fails", "TestAuto_StrengthOrder"},
	{"A mechanism that the server refuses", "TestAuth_EveryOperationSaysErrAuthWhileItRests"},
	{"SCRAM authenticates the server, too", "TestScram_BadServerMessages TestAuth_SuccessWithoutProofIsNone"},
	{"No mechanism protects the connection", ""},
	{"Without TLS, whoever can change traffic", "TestStart_ServerDoesNotOfferTheMechanism"},
	{"Credentials that are set are used", "TestHandshake_SaysWhatIsWrong"},
	{"For a server without SASL leave", ""},
	{"Passwords do not appear in errors", "TestPrinting_HidesThePassword TestAuth_TextsOfServersAreNotRepeated"},
	{"Control characters in credentials", "TestStart_RefusesUnusableCredentials"},
	{"What a server says once it may have seen credentials", "TestAuth_TextsOfServersAreNotRepeated"},
	{"After credentials are refused", "TestAuth_EveryOperationSaysErrAuthWhileItRests"},
}

// threatPromises are the claims of SECURITY.md's table of threats. What an attacker can
// do has a test where it is a limit of ours; what follows from the protocol has none.
var threatPromises = []promise{
	{"reads the network, no TLS can see keys and values", ""},
	{"reads the network, no TLS can try passwords", ""},
	{"reads the network, no TLS cannot see the password", "TestAuth_AutoSendsNoPlainPasswordOverTheNetwork TestAuth_AutoSendsNoPlainPasswordThroughAProxy TestScram_PublishedExchanges TestCramMD5_PublishedExchange"},
	{"reads the network, no TLS cannot read sessions", "TestDump_GivesNothingAway TestDump_AndAllLogs TestSCS_DumpGivesNothingAway"},
	{"changes the network, no TLS can change and forge", ""},
	{"changes the network, no TLS cannot pass for the server", "TestScram_BadServerMessages TestAuth_SuccessWithoutProofIsNone TestStart_ServerDoesNotOfferTheMechanism"},
	{"changes the network, no TLS cannot forge sessions", "TestOpen_EveryChangedByteIsRefused TestAttack_SwappedRecords TestAttack_SCSRecordMadeByAnother"},
	{"reads memcached (dump, backup, another tenant) can see cached pages", "TestDump_HasNothingOfRequests TestSealed_ReaderLearnsNothing"},
	{"reads memcached (dump, backup, another tenant) cannot read sessions or make cookies", "TestDump_GivesNothingAway TestDump_AndAllLogs TestList_HoldsNothingInClear TestSCS_DumpGivesNothingAway TestCookie_ForgedOnesAreNotLookedUp"},
	{"writes to memcached can change values, delete sessions", "TestAttack_Replay TestAttack_ServerLosesEverything TestRoster_ThatCannotBeReadIsAnEmptyOne TestSealed_WriterCanOnlyDelete"},
	{"writes to memcached cannot execute code", "TestPickleError_KeepsItsOwnBytes TestDecode_WhatIsNotData TestFormats_WhatIsNotDataIsNamed TestBombs TestCompressed_BombCostsNoMoreThanTheLimit TestEntry_CostsWhatItIsLong TestAttack_SwappedRecords TestAttack_SCSRecordMadeByAnother TestSCS_NothingPublicSealsASession"},
	{"a malicious server can withhold", ""},
	{"a malicious server can offer nothing but PLAIN", "TestAuto_StrengthOrder"},
	{"a malicious server cannot learn the password", "TestScram_PublishedExchanges TestScram_BadServerMessages TestStart_ServerDoesNotOfferTheMechanism"},
	{"a malicious server cannot crash a client", "TestGet_BrokenFrames TestHunt_NoWrongValueAfterBrokenFrames TestOversizedFrame_CostsNoMemory TestGet_SilentServerTimesOutExactly TestAuto_HostileListStaysSmallAndPrintable"},
	{"sends requests to a site can fill the cache", "TestVary_SelectsVariants"},
	{"sends requests to a site cannot get another visitor's", "TestSetCookie_IsNeitherStoredNorShared TestCredentials_AreNotOnlyAuthorization TestSession_OfVisitorsAtOnceIsNotShared TestPrivacy_ResponseCacheDoesNotStoreWhatTouchedASession TestASVS_7_2_1_TokensAreVerifiedOnTheServer TestAttack_Fixation TestAttack_CookiesNearAGoodOne"},
}

// TestPromises_EveryThreatHasItsTest: each claim of the table, split where it has a
// semicolon, is among the promises, and their tests exist.
func TestPromises_EveryThreatHasItsTest(t *testing.T) {
	_, rest, found := strings.Cut(read(t, ".github/SECURITY.md"), "\n| attacker | can | cannot |\n| --- | --- | --- |\n")
	if !found {
		t.Fatal("SECURITY.md has no table of threats")
	}
	table, _, _ := strings.Cut(rest, "\n\n")
	var claims []string
	for row := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(row, "| \n"), " | ")
		if len(cells) != 3 {
			t.Fatalf("the row %q has %d cells, want 3", row, len(cells))
		}
		for i, verb := range []string{"can", "cannot"} {
			for claim := range strings.SplitSeq(cells[i+1], "; ") {
				claims = append(claims, cells[0]+" "+verb+" "+claim)
			}
		}
	}
	checkPromises(t, claims, threatPromises, slices.Concat(testsOf(t, "binary"), testsOf(t, "middleware"), testsOf(t, "session")))
}
