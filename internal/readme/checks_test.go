package readme

import (
	"strings"
	"testing"
	"testing/fstest"
)

// The tests of this package are worth what they notice: here they are shown what
// is wrong.

func TestWrongLinksAreFound(t *testing.T) {
	files := fstest.MapFS{
		"docs/a.md":   {Data: []byte("# A page\n\n## Who attacks, and why\n\n```\n[no](link)\n```\n")},
		"x_test.go":   {Data: []byte("package x\n\nfunc TestThere() {}\n\nvar _ = \"a rule\"\n")},
		"folder/b.md": {},
	}
	for markdown, want := range map[string]string{
		"[a](a.md) [a](a.md#who-attacks-and-why) [here](#heading)": "",
		"[out](https://example.com/x) [folder](../folder)":         "",
		"[TestThere](../x_test.go) [\"a rule\"](../x_test.go)":     "",
		"[`TestThere`](../x_test.go)":                              "",
		"`[no](link)` and `code`":                                  "",
		"[gone](gone.md)":                                          "gone.md",
		"[that goes\non](gone.md)":                                 "docs/page.md:3: ",
		"![gone](gone.png)":                                        "gone.png",
		"[a](a.md#why)":                                            "no heading",
		"[here](#nowhere)":                                         "no heading",
		"[TestGone](../x_test.go)":                                 "does not declare",
		"[`TestGone`](../x_test.go)":                               "does not declare",
		"[\"another\"](../x_test.go)":                              "does not say",
		"`code` [gone](gone.md) `code`":                            "gone.md",
	} {
		files["docs/page.md"] = &fstest.MapFile{Data: []byte("# Heading\n\n" + markdown + "\n")}
		wrong := strings.Join(wrongLinks(files, "docs/page.md"), "\n")
		if want == "" && wrong != "" || !strings.Contains(wrong, want) {
			t.Errorf("%s: found %q, want %q", markdown, wrong, want)
		}
	}
}

func TestAHeadingWhoseAnchorsDifferHasNone(t *testing.T) {
	got := anchors("# One: `two`\n\n## Three - four\n\n### [Five](x.md) 6\n\n```\n# no\n```\n#no\n")
	if want := "one-two five-6"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCodeThatIsNoCopyIsFound(t *testing.T) {
	files := fstest.MapFS{"a.go": {Data: []byte("package a\n\n// F is.\nfunc F() {\n}\n\nfunc (T) M() {}\n\n// T is.\ntype T struct{}\n")}}
	for comment, want := range map[string]string{
		"a.go: F":      "// F is.\nfunc F() {\n}\n",
		"a.go: T, M":   "// T is.\ntype T struct{}\n\nfunc (T) M() {}\n",
		"a.go":         string(files["a.go"].Data),
		"a.go: G":      "",
		"b.go":         "",
		"":             "",
		"b.go: F":      "",
		"a.go: F, , T": "",
	} {
		got, err := source(files, comment)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: %q, %v", comment, got, err)
		}
	}
}

func TestBlocksAreFoundWithTheirSource(t *testing.T) {
	found, prose := blocks("text\n<!-- a.go: F -->\n```go\nfunc F() {}\n```\n\n```console\n$ true\n```\n")
	if len(found) != 2 || found[0] != (block{"go", "func F() {}\n", "a.go: F", 3}) || found[1] != (block{"console", "$ true\n", "", 7}) {
		t.Errorf("found %+v", found)
	}
	if len(prose) != 10 || prose[3] != "" || prose[0] != "text" {
		t.Errorf("prose %q", prose)
	}
}

func TestCommandsAreReadInTheirOrder(t *testing.T) {
	got := shownCommands("```console\n$ one\nprinted\nmore\n$ two\n```\n\n```sh\n$ no\n```\n\n```console\n$ three\n```\n")
	if len(got) != 3 || got[0] != (command{"one", "printed\nmore\n"}) || got[2].line != "three" {
		t.Errorf("read %+v", got)
	}
	if got := shownCommands("```console\nno prompt\n```\n"); len(got) != 1 || !strings.HasPrefix(got[0].line, "false") {
		t.Errorf("a block without a prompt: %+v", got)
	}
}

func TestPagesThatTheNavForgetsAreFound(t *testing.T) {
	for want, nav := range map[string][]string{
		"":                                {"README.md", "a.md"},
		"docs/a.md is not in the nav":     {"README.md"},
		"has a.md twice":                  {"README.md", "a.md", "a.md"},
		"b.md, and there is no such page": {"README.md", "a.md", "b.md"},
	} {
		wrong := strings.Join(wrongNav(nav, []string{"README.md", "docs/a.md"}), "\n")
		if want == "" && wrong != "" || !strings.Contains(wrong, want) {
			t.Errorf("found %q, want %q", wrong, want)
		}
	}
}

func TestAPromiseWithoutATestIsFound(t *testing.T) {
	page := "| promise | shown by |\n|---|---|\n| one | [TestOne](x_test.go) |\n| two | nothing |\n\n| a | b |\n|---|---|\n| c | d |\n"
	if got := unshown(page); len(got) != 1 || !strings.Contains(got[0], "two") {
		t.Errorf("found %q", got)
	}
}

func TestBlocksThatNoTestKnowsAreFound(t *testing.T) {
	held := map[string]string{"console": "TestOne"}
	for page, want := range map[string]string{
		"```console\n$ true\n```\n":                             "",
		"```console\n$ true\n```\n```go\nx\n```\n":              "",
		"```console\n$ true\n```\n```sh\ntrue\n```\n":           `page.md:4: no test knows a block of "sh"`,
		"```console\n$ true\n```\n```\ntrue\n```\n":             `page.md:4: no test knows a block of ""`,
		"```console\n$ true\n```\n```bash\ntrue\n```\n":         `of "bash"`,
		"```console\n$ true\n```\n- so:\n  ```sh\n  x\n  ```\n": "page.md:5: this block is seen by no test",
		"```console\n$ true\n```\n~~~\ntrue\n~~~\n":             "page.md:4: this block is seen by no test",
		"text\n": `no block of "console" any more`,
	} {
		wrong := strings.Join(unheld("page.md", page, held), "\n")
		if want == "" && wrong != "" || !strings.Contains(wrong, want) {
			t.Errorf("%s: found %q, want %q", page, wrong, want)
		}
	}
}

func TestLinesThatCannotBeRunAreFound(t *testing.T) {
	makefile := "build:\n\ttrue\n"
	for line, want := range map[string]string{
		"make":                                  "",
		"make build":                            "",
		"make biuld":                            "no target biuld",
		"go test ./internal/readme":             "",
		"go test ./session/... ./internal/gone": "no package ./internal/gone",
		"go test ./gone/...":                    "no package ./gone/...",
		"go test -v":                            "names no package",
		"go test ./internal/product -run TestGone":  "there is no such test",
		"go test ./internal/config -run Test -gone": "-gone",
		"cloakroom serve":                           "no test knows how",
	} {
		err := canBeRun(line, makefile)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestRemarksAreNotRun(t *testing.T) {
	got := shellLines("```sh\nmake   # builds\n# alone\n\nmake test\n```\n```console\n$ no\n```\n")
	if strings.Join(got, "|") != "make|make test" {
		t.Errorf("read %q", got)
	}
	if got := mentioned("`make` and `make docs`, `maker`, `go test ./x`\n```sh\n`make no`\n```\n"); strings.Join(got, "|") != "make|make docs|go test ./x" {
		t.Errorf("mentioned are %q", got)
	}
}
