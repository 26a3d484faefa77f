package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	mangokong "github.com/alecthomas/mango-kong"
	"github.com/muesli/roff"
)

type completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// scripts have a shell ask the program itself what may come next.
var scripts = map[string]string{
	"bash": "_cloakroom() { local IFS=$'\\n'; COMPREPLY=($(cloakroom complete -- \"${COMP_WORDS[@]:1:COMP_CWORD}\")); }\ncomplete -F _cloakroom -o default cloakroom\n",
	// As a file of its own, which zsh loads when it is first needed, or in a start-up file.
	"zsh": "#compdef cloakroom\n_cloakroom() { compadd -- ${(f)\"$(cloakroom complete -- \"${(@)words[2,CURRENT]}\")\"}; }\n" +
		"if [ \"$funcstack[1]\" = _cloakroom ]; then _cloakroom \"$@\"; else compdef _cloakroom cloakroom; fi\n",
	"fish": "complete -c cloakroom -f -a '(cloakroom complete -- (commandline -opc)[2..] (commandline -ct))'\n",
}

// Run prints what the shell's start-up file has to hold.
func (c completion) Run(s streams) error {
	_, err := fmt.Fprint(s.out, scripts[c.Shell])
	return err
}

// complete is what the scripts of completion ask.
type complete struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"What is typed, the last word being the one that is to be completed."`
}

// Run prints what the last word may become, a line for each.
func (c complete) Run(s streams, model *kong.Application) error {
	words := slices.DeleteFunc(c.Words, func(w string) bool { return w == "--" })
	last := ""
	if len(words) > 0 {
		words, last = words[:len(words)-1], words[len(words)-1]
	}
	for _, candidate := range candidates(model.Node, words) {
		if strings.HasPrefix(candidate, last) {
			if _, err := fmt.Fprintln(s.out, candidate); err != nil {
				return err
			}
		}
	}
	return nil
}

// candidates are the commands and flags that may follow the words.
func candidates(at *kong.Node, words []string) []string {
	for _, w := range words {
		i := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == w })
		if i >= 0 {
			at = at.Children[i]
		}
	}
	var list []string
	for _, n := range at.Children {
		if !n.Hidden {
			list = append(list, n.Name)
		}
	}
	for n := at; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			list = append(list, "--"+f.Name)
		}
	}
	return list
}

type man struct{}

// Run prints the manual page, as roff.
func (man) Run(s streams, model *kong.Application) error {
	_, err := fmt.Fprint(s.out, mangokong.NewManPage(1, model).Build(roff.NewDocument()))
	return err
}
