"""What mkdocs needs to make a site of pages that are written for the repository.

The pages of the root are pages of the site, too. Links lead from page to page
wherever both lie; what leads to a file that is no page, such as a test, is shown
with the file's path and leads nowhere.
"""

import os
import posixpath
import re

from mkdocs.structure.files import File

ROOT_PAGES = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]

# A fenced block, an inline code span that is no link's text, or a link.
PART = re.compile(
    r"(?P<code>^```.*?^```|(?<!\[)`[^`\n]+`(?!\]\())"
    r"|(?P<image>!?)\[(?P<text>[^\]\[]*)\]\((?P<target>[^)\s]+)\)",
    re.DOTALL | re.MULTILINE,
)


def on_files(files, config):
    root = os.path.dirname(config["config_file_path"])
    for name in ROOT_PAGES:
        file = File(name, root, config["site_dir"], config["use_directory_urls"])
        file.name = name.removesuffix(".md").lower()
        file.dest_uri = f"project/{file.name}/index.html"
        file.url = f"project/{file.name}/"
        file.abs_dest_path = os.path.join(config["site_dir"], file.dest_uri)
        files.append(file)
    return files


def on_page_markdown(markdown, page, config, files):
    here = in_repository(page.file.src_uri)

    def lead(match):
        target = match["target"]
        if match["code"] or re.match(r"[a-z]+:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
        uri = path.removeprefix("docs/")
        root = os.path.dirname(config["config_file_path"])
        if not os.path.exists(os.path.join(root, path)):
            return match[0]  # for mkdocs to complain of
        if files.get_file_from_path(uri) is None or in_repository(uri) != path:
            return f'<span title="{path} in the repository">{match["text"]}</span>'
        uri = posixpath.relpath(uri, posixpath.dirname(page.file.src_uri) or ".")
        return f"{match['image']}[{match['text']}]({uri}{'#' + anchor if anchor else ''})"

    return PART.sub(lead, markdown)


def in_repository(uri):
    """The path in the repository of a page or picture of the site."""
    return uri if uri in ROOT_PAGES else "docs/" + uri
