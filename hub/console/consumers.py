"""Ready-made set-up text for what members pull with. The token itself is known to the member alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """What is filled in: the hub's base URL, one collection, one user name."""

    base: str
    collection_id: str
    collection_title: str
    username: str


@dataclass(frozen=True, slots=True)
class Consumer:
    """A tool: its name, what to do in it, and a text to copy (may be empty)."""

    name: str
    doing: tuple[str, ...]
    copied: str

    def steps(self, place: Place) -> list[str]:
        """The steps with this place filled in."""
        return [_filled(step, place) for step in self.doing]

    def text(self, place: Place) -> str:
        """The text to copy with this place filled in."""
        return _filled(self.copied, place)


def _filled(text: str, place: Place) -> str:
    for name, value in (
        ("{root}", f"{place.base}/taxii2/signed/"),
        ("{discovery}", f"{place.base}/taxii2/"),
        ("{base}", place.base),
        ("{collection}", place.collection_id),
        ("{title}", place.collection_title),
        ("{user}", place.username),
    ):
        text = text.replace(name, value)
    return text


CONSUMERS: dict[str, Consumer] = {
    "sentinel": Consumer(
        "Microsoft Sentinel",
        (
            "Open your workspace, then Data connectors, and choose “Threat intelligence - TAXII”.",
            "Enter a friendly name and the values below.",
            "Choose how far back to import and how often to poll (once an hour is plenty), then Add.",
            "Indicators appear under Threat intelligence within the hour.",
        ),
        "API root URL:  {root}\nCollection ID: {collection}\nUsername:      {user}\nPassword:      your key's token\n",
    ),
    "splunk": Consumer(
        "Splunk Enterprise Security",
        (
            "Open Configure, Data Enrichment, Threat Intelligence Management, and add a TAXII source.",
            "Choose TAXII 2.1, enter the values below, and keep the token in the credential store.",
            "Set the interval to 3600 seconds; the first run fetches everything.",
        ),
        "[threatlist://{user}]\ntype = taxii\ntaxii_version = 2.1\nurl = {discovery}\n"
        'post_args = api_root="{root}" collection="{collection}" earliest="-30d"\ninterval = 3600\n',
    ),
    "qradar": Consumer(
        "IBM QRadar",
        (
            "In the Threat Intelligence app, choose Add Threat Feed, then Add TAXII Feed.",
            "Enter the endpoint with version 2.1 and HTTP Basic, then Discover; choose the collection.",
            "Map indicator types to reference sets and poll hourly.",
        ),
        "TAXII endpoint: {discovery}\nVersion:        2.1\nAuthentication: HTTP Basic\nUser name:      {user}\n"
        "Password:       your key's token\nCollection:     {title} ({collection})\n",
    ),
    "elastic": Consumer(
        "Elastic Security",
        (
            "Add the integration “Custom Threat Intelligence” (TAXII 2.1) to an agent policy.",
            "Enter the values below and an interval of 1h.",
            "Indicators appear under Intelligence, and indicator match rules use them.",
        ),
        "url: {root}collections/{collection}/objects/\nusername: {user}\npassword: your key's token\n"
        "interval: 1h\ninitial_interval: 720h\nlimit: 1000\n",
    ),
    "xsoar": Consumer(
        "Cortex XSOAR",
        (
            "Install the content pack “TAXII Feed” and add an instance of “TAXII 2 Feed”.",
            "Enter the values below; leave the certificate check on.",
            "Test, then choose how long indicators hold and the traffic light colour.",
        ),
        "Discovery service URL: {discovery}\nAPI root to use:       {root}\nCollection name:       {title}\n"
        "Username:              {user}\nPassword:              your key's token\n",
    ),
    "misp": Consumer(
        "MISP",
        (
            "Install misp-stix and taxii2-client on the MISP host.",
            "Fetch with the script below, by a timer once an hour; it keeps its place by added_after.",
            "Set the distribution of the imported events by the TLP tags that they carry.",
        ),
        "curl -sf -u '{user}:'\"$HUB_TOKEN\" -H 'Accept: application/taxii+json;version=2.1' \\\n"
        "  '{root}collections/{collection}/objects/?added_after='\"$LAST\" -o hub.json\n"
        "misp_stix_converter import --version 2.1 --file hub.json --single_event\n",
    ),
    "opencti": Consumer(
        "OpenCTI",
        (
            "Open Data, Ingestion, TAXII feeds, and add an ingester.",
            "Choose version 2.1 and HTTP Basic, and enter the values below.",
            "Choose a user with the right confidence level, then start it.",
        ),
        "TAXII server URL: {root}\nTAXII collection: {collection}\nTAXII version:    2.1\nAuthentication:   Basic\n"
        "Username:         {user}\nPassword:         your key's token\n",
    ),
    "curl": Consumer(
        "curl",
        (
            "Keep the token in the environment, not in the command.",
            "Take X-TAXII-Date-Added-Last of each answer as the next added_after.",
        ),
        "export HUB_TOKEN=…\ncurl -g -u '{user}:'\"$HUB_TOKEN\" -H 'Accept: application/taxii+json;version=2.1' \\\n"
        "  '{root}collections/{collection}/objects/?match[type]=indicator&limit=100'\n",
    ),
    "taxii2-client": Consumer(
        "taxii2-client (Python)",
        ("pip install taxii2-client", "Run the script; as_pages follows “next” by itself."),
        "import os\nfrom taxii2client.v21 import Collection, as_pages\n\n"
        "collection = Collection(\n    '{root}collections/{collection}/',\n"
        "    user='{user}', password=os.environ['HUB_TOKEN'],\n)\n"
        "for page in as_pages(collection.get_objects, per_request=1000):\n    for found in page.get('objects', []):\n"
        "        print(found['type'], found['id'])\n",
    ),
}
