"""huggingface_hub's own tests, taken from its source distribution, against this Hub.

They were written for the real Hub's staging copy. What is left out needs what only huggingface.co holds, or
what localhub answers 501 to; each with its reason.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.localhub.conftest import serve

pytestmark = [pytest.mark.slow, pytest.mark.network]
HERE = Path(__file__).parent
SDIST = (
    "huggingface_hub==2.4.0 --hash=sha256:13a6158b9e3393d9d3f248ce99074d50c2a0a1449fb9d8e2f710751e2084c188\n"
)
STAGING = "https://hub-ci.huggingface.co"  # what they name; here they mean this Hub

# Their accounts, from testing_constants.py: public tokens of a sandbox.
USERS = """\
- name: __DUMMY_HUB_USER__
  fullname: Dummy User
  token: hf_HubCITokenXXXXXXXXXXXXXXXXXXXXX
  orgs: [{name: valid_org_hub, fullname: Dummy Hub Org}]
- {name: DVUser, token: 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}
- name: EnterpriseAdmin
  token: hf_enterprise_admin_token
  orgs: [{name: EnterpriseOrgPrivate, private_by_default: true}]
"""

FILES = """
test_auth test_cli test_cli_discussions test_commit_api test_commit_scheduler test_copy_files
test_eval_results test_file_download test_hf_api test_hf_file_system test_lfs test_repocard test_repocard_data
test_snapshot_download test_tree_cache test_upload_pipeline
"""

# Those that a client with Xet, which is its default, is tested by.
FILES_OF_XET = "test_copy_files test_upload_pipeline test_xet_upload test_hf_api"
NAMES_OF_XET = "(test_copy_files or test_upload_pipeline or test_xet_upload or TestUploadFolderMocked)"

# A part of a test's name, and why it is left out.
BUCKETS = dict.fromkeys(
    (
        "test_cp_upload_",
        "test_cp_download_to_",
        "test_cp_download_nested",
        "test_cp_download_quiet",
        "test_cp_download_creates_parent",
        "test_cp_error_remote_source",
        "bucket",
    ),
    "buckets, which a fixture makes, are answered 501",
)
LEFT_OUT = {
    "TestWebhookApi": "webhooks are answered 501",
    "TestUvScriptHeader": "asks no Hub, and depends on the order of tests",
    "test_list_inference_catalog": "asks another host than HF_ENDPOINT",
    "test_list_catalog": "asks no Hub, and wants a wide terminal",
    **BUCKETS,
    "TestHfHubDownloadRelativePaths": "backslashes in paths: this Hub refuses more of them",
    "TestGetTokenAutoRefresh": "asks no Hub, and depends on the order of tests",
    **dict.fromkeys(
        (
            "repocard_from_file",
            "change_repocard_data",
            "from_custom_template",
            "card_data_must_be_dict",
            "card_without_metadata",
            "validate_repocard",
            "preserve_",
            "updating_text",
            "invalid_model_index",
            "card_with_model_index",
            "_load_model_card_from_file",
            "_load_datasetcard_from_file",
            "from_template_eval_results",
        ),
        "reads a sample that the source distribution lacks",
    ),
}
LEFT_OUT_OF_XET = {
    **BUCKETS,
    "test_copy_files_repo_to_repo": "the client copies by Xet hash, and this Hub gives no file one",
    "(TestXetUpload and test_upload_file)": "wants a Xet hash of what it uploaded",
    "test_hf_xet_download_with_new_session_api": "so does this",
}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with their tests and our conftest.py."""
    folder = tmp_path_factory.mktemp("suite")
    (folder / "requirement.txt").write_text(SDIST)
    download = "-m pip download --quiet --no-deps --no-binary :all: -r requirement.txt"
    subprocess.run([sys.executable, *download.split()], cwd=folder, check=True, timeout=300)
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        wanted = [member for member in archive if member.name.split("/")[1:2] == ["tests"]]
        archive.extractall(folder, members=wanted, filter="data")
    shutil.move(next(folder.glob("huggingface_hub-*/tests")), folder / "tests")
    shutil.copy(HERE / "suite_conftest.py", folder / "tests/conftest.py")
    (folder / "tests/__init__.py").touch()
    return folder


def test_the_clients_own_tests_pass(suite: Path, tmp_path: Path) -> None:
    (tmp_path / "users.yaml").write_text(USERS)
    process, url = serve(tmp_path / "data", "--users", str(tmp_path / "users.yaml"))
    try:
        name_here(suite, url)
        done = run(suite, url, tmp_path, FILES, excluded(LEFT_OUT), "1")
        through_xet = run(
            suite, url, tmp_path, FILES_OF_XET, NAMES_OF_XET + " and " + excluded(LEFT_OUT_OF_XET), ""
        )
    finally:
        process.terminate()
        said, _ = process.communicate(timeout=10)
    assert done.returncode == 0, done.stdout[-6000:]
    assert through_xet.returncode == 0, through_xet.stdout[-6000:]
    assert said == "", "the server has nothing to say of itself"
    served = set((tmp_path / "served.txt").read_text().split("\n"))
    assert passed(done) >= 441 and len(served) >= 248, (passed(done), len(served))
    assert passed(through_xet) >= 60, passed(through_xet)


def passed(done: subprocess.CompletedProcess[str]) -> int:
    return int(re.findall(r"(\d+) passed", done.stdout)[0])


def excluded(names: Iterable[str]) -> str:
    return " and ".join(f"not {name}" for name in names)


def name_here(suite: Path, url: str) -> None:
    """Where their tests name their staging copy, they name this Hub."""
    for name in ("testing_constants", "test_hf_api"):
        source = (suite / f"tests/{name}.py").read_text()
        (suite / f"tests/{name}.py").write_text(source.replace(STAGING, url))


def run(
    suite: Path, url: str, work: Path, names: str, expression: str, without_xet: str
) -> subprocess.CompletedProcess[str]:
    """pytest over some of their files, in a process that knows this Hub and no other."""
    environment = os.environ | {
        "HF_ENDPOINT": url,
        "HF_HOME": str(work / "home"),
        "HF_HUB_DISABLE_XET": without_xet,
        "NO_COLOR": "1",
        "SUITE_SERVED": str(work / "served.txt"),
    }
    options = ["-q", "-p", "no:cacheprovider", "-n", "3", "--dist", "loadscope", "-k", expression]
    command = [sys.executable, "-m", "pytest", *options]
    files = [f"tests/{name}.py" for name in names.split()]
    return subprocess.run(
        [*command, *files], cwd=suite, env=environment, capture_output=True, text=True, timeout=900
    )
