package xinetd

import "fmt"

// Remark is something about the configuration that a person should see: what
// stands there, and what xinetd makes of it.
type Remark struct {
	Kind    RemarkKind
	File    string
	Line    int
	Service string
	// Attribute is the canonical name, "" if the remark isn't about one.
	Attribute string
	// Text is what is the matter, Hint what to do.
	Text string
	Hint string
}

// RemarkKind tells remarks apart; the texts are for people only.
type RemarkKind string

// Kinds of remark.
const (
	Unreadable       RemarkKind = "unreadable"
	SkippedByName    RemarkKind = "skipped-file"
	ByteOrderMark    RemarkKind = "byte-order-mark"
	CarriageReturn   RemarkKind = "carriage-return"
	StrayLine        RemarkKind = "stray-line"
	MissingOpen      RemarkKind = "missing-opening-brace"
	MissingClose     RemarkKind = "missing-closing-brace"
	NoBlank          RemarkKind = "no-blank-before-operator"
	BadOperator      RemarkKind = "bad-operator"
	Misspelt         RemarkKind = "misspelt-attribute"
	UnknownAttribute RemarkKind = "unknown-attribute"
	WrongSection     RemarkKind = "wrong-section"
	WrongOperator    RemarkKind = "wrong-operator"
	WrongCount       RemarkKind = "wrong-number-of-values"
	TrailingComment  RemarkKind = "trailing-comment"
	AlreadySet       RemarkKind = "already-set"
	BadValue         RemarkKind = "bad-value"
	Quoted           RemarkKind = "quoted"
	AfterDisable     RemarkKind = "after-disable"
	SecondDefaults   RemarkKind = "second-defaults"
	LateDefaults     RemarkKind = "late-defaults"
	TwoBlocks        RemarkKind = "two-blocks"
	IncludeLoop      RemarkKind = "include-loop"
)

// Place is "file:line", as editors take it.
func (r Remark) Place() string {
	if r.Line == 0 {
		return r.File
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}

func (r Remark) String() string {
	text := r.Place() + ": " + r.Text
	if r.Hint != "" {
		text += " (" + r.Hint + ")"
	}
	return text
}
