package symptom

import "testing"

func TestOf(t *testing.T) {
	for text, want := range map[string]Symptom{
		"":                                  None,
		"Username: ":                        None,
		"ScarletDME has not been started\n": NotStarted,
		"ScarletDME is suspended\n":         Suspended,
		"\aUser limit reached\r\n":          UserLimit,
		"qm: error while loading shared libraries: libcrypt.so.1: cannot open shared object file": Loader,
		"Current directory / is not a valid account. Create account? ":                            Console,
		"[5015] Message file not found(8301 0).":                                                  Messages,
		"[5032] Message not found":                                                                Messages,
		"00000255: Unable to load '$LOGIN' object code":                                           ObjectCode,
		"Cannot open $LOGINS register in QMSYS account":                                           Register,
		"00000AE6: Error -3018 deleting record at line 488 of $LOGIN":                             FileAccess,
		"Error 3018 writing to $LOGINS.\nConnection terminated":                                   FileAccess,
		"Invalid username or password\nUsername: ":                                                BadLogin,
		"Account NOPE not in register":                                                            BadAccount,
		"Timeout\nConnection terminated":                                                          IdleTimeout,
		"Connection terminated":                                                                   Terminated,
	} {
		if got := Of(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if got := Of(text); got != None && got.Hint() == "" {
			t.Errorf("%q has no hint", got)
		}
	}
}
