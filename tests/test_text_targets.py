"""Targets that take texts: pipelines of scikit-learn, networks, functions and known labels, and what is refused."""

import functools
import re
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, chi2
from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, ComplementNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, Normalizer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

from copycost import Images
from copycost._types import AnyArray
from copycost.errors import InvalidInput, TargetError
from copycost.inputs import Inputs, Texts
from copycost.networks import new_classifier, save_classifier
from copycost.oracle import BudgetSpent, Ledger, Oracle
from copycost.oracle.targets import FileSettings, FunctionTarget, LabelTarget, NetworkTarget, SklearnTarget, open_file

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "guide" / "targets.md"
TEXTS = FileSettings(None)
IMAGES = Images(np.zeros((2, 3, 3), np.uint8))
ODD = ["", " ", "good " * 100_000, "\0\u2028é 🙂", "unknown words only", "GOOD Film!", "a", "good"]


@functools.cache
def corpus() -> tuple[list[str], AnyArray]:
    """Sentences whose class is told by their words, most of the time."""
    rng = np.random.default_rng(0)
    words = np.array(
        [["good", "fine", "lovely", "great"], ["bad", "dull", "awful", "poor"], ["long", "short", "old", "new"]]
    )
    texts, labels = [], rng.integers(0, 3, 120)
    for label in labels:
        kinds = np.where(rng.random(6) < 0.7, label, rng.integers(0, 3, 6))
        texts.append(" ".join(rng.choice(words[kind]) for kind in kinds) + " film .")
    return texts, labels


def fitted(model: Any) -> Any:
    texts, labels = corpus()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(texts, labels)


def opened(model: Any, folder: Path, settings: FileSettings = TEXTS) -> SklearnTarget:
    skops.io.dump(model, folder / "model.skops")
    return SklearnTarget(folder / "model.skops", settings)


PIPELINES: dict[str, Callable[[], Any]] = {
    "tfidf, logistic": lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()),
    "tfidf of pairs": lambda: make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LogisticRegression()
    ),
    "tfidf without weights": lambda: make_pipeline(TfidfVectorizer(use_idf=False, norm=None), LogisticRegression()),
    "tfidf of float32": lambda: make_pipeline(TfidfVectorizer(dtype=np.float32), LogisticRegression()),
    "characters": lambda: make_pipeline(TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4)), LogisticRegression()),
    "counts, multinomial": lambda: make_pipeline(CountVectorizer(stop_words="english"), MultinomialNB()),
    "counts, own stop words": lambda: make_pipeline(CountVectorizer(stop_words=["film"]), ComplementNB()),
    "counts, own words": lambda: make_pipeline(CountVectorizer(vocabulary=["good", "bad", "long"]), BernoulliNB()),
    "counts, own pattern": lambda: make_pipeline(
        CountVectorizer(token_pattern=r"(?u)\b\w+(?:'\w)?\b"), MultinomialNB()
    ),
    "counts and weights": lambda: make_pipeline(CountVectorizer(), TfidfTransformer(), MultinomialNB()),
    "hashes": lambda: make_pipeline(
        HashingVectorizer(n_features=2**10), SGDClassifier(loss="log_loss", random_state=0)
    ),
    "hashes, labels alone": lambda: make_pipeline(HashingVectorizer(n_features=64), SGDClassifier(random_state=0)),
    "linear support vectors": lambda: make_pipeline(TfidfVectorizer(), LinearSVC(random_state=0)),
    "calibrated": lambda: make_pipeline(TfidfVectorizer(), CalibratedClassifierCV(LinearSVC(random_state=0), cv=2)),
    "calibrated as a whole": lambda: CalibratedClassifierCV(make_pipeline(TfidfVectorizer(), LinearSVC()), cv=2),
    "ridge": lambda: make_pipeline(TfidfVectorizer(), RidgeClassifier()),
    "latent": lambda: make_pipeline(
        TfidfVectorizer(), TruncatedSVD(4, random_state=0), Normalizer(), LogisticRegression()
    ),
    "scaled": lambda: make_pipeline(
        CountVectorizer(), MaxAbsScaler(), StandardScaler(with_mean=False), LogisticRegression()
    ),
    "network": lambda: make_pipeline(TfidfVectorizer(), MLPClassifier((4,), max_iter=20, tol=1, random_state=0)),
    "tree": lambda: make_pipeline(CountVectorizer(), DecisionTreeClassifier(random_state=0)),
    "forest": lambda: make_pipeline(CountVectorizer(), RandomForestClassifier(4, random_state=0, n_jobs=2)),
    "one against rest": lambda: make_pipeline(TfidfVectorizer(), OneVsRestClassifier(LogisticRegression())),
    "nested": lambda: make_pipeline(make_pipeline(CountVectorizer(), TfidfTransformer()), LogisticRegression()),
}


@pytest.mark.parametrize("name", PIPELINES)
def test_a_pipeline_answers_as_the_one_that_was_written(name: str, tmp_path: Path) -> None:
    model = fitted(PIPELINES[name]())
    target = opened(model, tmp_path)
    asked = [*corpus()[0][:20], *ODD]
    assert (target.medium, target.shape, target.classes) == ("text", None, 3)
    assert target.gives_probabilities == hasattr(model, "predict_proba")
    expected = model.predict_proba(asked) if target.gives_probabilities else model.predict(asked)
    np.testing.assert_allclose(target.reply(Texts(asked)), expected, rtol=1e-9)
    assert len(target.reply(Texts([]))) == 0


def test_classes_of_a_pipeline_may_have_names(tmp_path: Path) -> None:
    texts, labels = corpus()
    model = make_pipeline(TfidfVectorizer(), LinearSVC()).fit(texts, np.array(["a", "b", "c"])[labels])
    target = opened(model, tmp_path)
    assert target.reply(Texts(texts)).tolist() == ["abc".index(name) for name in model.predict(texts)]


def test_a_target_of_another_medium_than_the_pool_is_refused_when_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="takes texts, and the pool and the test set hold images"):
        opened(fitted(PIPELINES["tfidf, logistic"]()), tmp_path, FileSettings((3, 3, 1)))
    plain = LogisticRegression().fit(np.eye(9), np.arange(9) % 2)
    with pytest.raises(InvalidInput, match=r"model\.skops takes images, and the pool and the test set hold texts"):
        opened(plain, tmp_path)


@pytest.mark.parametrize("settings", [{"mean": (0.5,)}, {"deviation": (0.5,)}, {"scale": "bytes"}])
def test_settings_of_pixels_are_refused_for_texts(settings: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="say what is done to pixels"):
        FileSettings(None, **settings)


def test_the_fingerprint_of_a_pipeline_changes_with_its_file(tmp_path: Path) -> None:
    one = opened(fitted(PIPELINES["tfidf, logistic"]()), tmp_path).fingerprint()
    assert opened(fitted(PIPELINES["tfidf, logistic"]()), tmp_path / ".").fingerprint() is not None
    assert one != opened(fitted(PIPELINES["tfidf of pairs"]()), tmp_path).fingerprint()


def shout(text: str) -> str:
    return text.upper()


def split(text: str) -> list[str]:
    return text.split()


@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(TfidfVectorizer(tokenizer=split, token_pattern=None), LogisticRegression()),
        lambda: make_pipeline(TfidfVectorizer(preprocessor=shout, lowercase=False), LogisticRegression()),
        lambda: make_pipeline(TfidfVectorizer(tokenizer=str.split, token_pattern=None), LogisticRegression()),
        lambda: make_pipeline(CountVectorizer(analyzer=split), MultinomialNB()),
        lambda: make_pipeline(CountVectorizer(strip_accents=shout), MultinomialNB()),
        lambda: make_pipeline(TfidfVectorizer(), SelectKBest(chi2, k=3), LogisticRegression()),
        lambda: make_pipeline(TfidfVectorizer(), SVC()),
        lambda: make_pipeline(TfidfVectorizer(), CalibratedClassifierCV(LogisticRegression(), cv=2, method="isotonic")),
    ],
)
def test_a_pipeline_with_functions_or_types_beyond_the_list_is_refused_unread(
    make: Callable[[], Any], tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match=r"holds types that are not trusted: .*Trusted are.* TfidfVectorizer"):
        opened(fitted(make()), tmp_path)


def changed(name: str, **values: Any) -> Any:
    """Return a fitted pipeline whose vectoriser was changed afterwards, as in a crafted file."""
    model = fitted(PIPELINES[name]())
    for key, value in values.items():
        setattr(model.steps[0][1], key, value)
    return model


COUNTS, HASHES, TFIDF = "counts, multinomial", "hashes", "tfidf, logistic"


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (COUNTS, {"input": "filename"}, "has input='filename' and analyzer='word'; a target is given texts themselves"),
        (COUNTS, {"input": "file"}, "has input='file'"),
        (COUNTS, {"analyzer": "line"}, "analyzer='line'"),
        (COUNTS, {"tokenizer": str}, "without functions"),
        (COUNTS, {"preprocessor": str}, "without functions"),
        (COUNTS, {"token_pattern": r"(\w+)*x"}, "no group is repeated"),
        (COUNTS, {"token_pattern": r"(?:a|b){5,}"}, "no group is repeated"),
        (COUNTS, {"token_pattern": "x" * 201}, "at most 200 characters"),
        (COUNTS, {"token_pattern": "("}, "do not fit together"),
        (COUNTS, {"ngram_range": (1, 21)}, "do not fit together"),
        (COUNTS, {"ngram_range": (0, 1)}, "do not fit together"),
        (COUNTS, {"ngram_range": (1,)}, "do not fit together"),
        (COUNTS, {"vocabulary_": {"good": 2**31, "bad": 0}}, "do not fit together"),
        (COUNTS, {"vocabulary_": {"good": -1, "bad": 0}}, "do not fit together"),
        (COUNTS, {"vocabulary_": {"good": 1, "bad": 1}}, "do not fit together"),
        (COUNTS, {"vocabulary_": {"good": 0.0}}, "do not fit together"),
        (COUNTS, {"vocabulary_": {}}, "do not fit together"),
        (COUNTS, {"vocabulary_": [0, 1]}, "do not fit together"),
        (COUNTS, {"stop_words": "german"}, "do not fit together"),
        (COUNTS, {"stop_words": [1]}, "do not fit together"),
        (COUNTS, {"dtype": str}, "do not fit together"),
        (COUNTS, {"lowercase": "yes"}, "do not fit together"),
        (COUNTS, {"build_analyzer": str}, "do not fit together"),
        (HASHES, {"n_features": 0}, "do not fit together"),
        (HASHES, {"n_features": -5}, "do not fit together"),
        (HASHES, {"n_features": 2**31}, "do not fit together"),
        (HASHES, {"n_features": True}, "do not fit together"),
        (HASHES, {"norm": "max"}, "do not fit together"),
        (TFIDF, {"vocabulary_": {"good": 0}}, "do not fit together"),
        (TFIDF, {"_tfidf": "weights"}, "do not fit together"),
        (TFIDF, {"_tfidf": Normalizer()}, "do not fit together"),
    ],
)
def test_a_vectoriser_that_would_open_files_call_functions_or_leave_its_table_is_refused(
    name: str, values: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match=message):
        opened(changed(name, **values), tmp_path)


@pytest.mark.parametrize("weights", [np.ones(2), np.ones((2, 2)), np.array(["a"])])
def test_weights_of_another_number_of_words_are_refused(weights: AnyArray, tmp_path: Path) -> None:
    for name in (TFIDF, "counts and weights"):
        model = fitted(PIPELINES[name]())
        inner = model.steps[0][1]._tfidf if name == TFIDF else model.steps[1][1]
        vars(inner)["idf_"] = weights
        with pytest.raises(TargetError, match="do not fit together"):
            opened(model, tmp_path)


def test_a_part_of_what_was_calibrated_that_leaves_its_table_is_refused(tmp_path: Path) -> None:
    model = fitted(PIPELINES["calibrated as a whole"]())
    model.calibrated_classifiers_[1].estimator.steps[0][1].vocabulary_["good"] = 2**20
    with pytest.raises(TargetError, match="a TfidfVectorizer whose numbers do not fit together"):
        opened(model, tmp_path)


def test_a_vectoriser_of_fewer_words_than_its_classifier_gives_an_error_and_no_answer(tmp_path: Path) -> None:
    target = opened(changed(COUNTS, vocabulary_={"good": 0, "bad": 1}), tmp_path)
    with Ledger(tmp_path / "ledger") as ledger, pytest.raises(TargetError, match="raised ValueError"):
        Oracle(target, ledger, account="copy").ask(Texts(["good"]))


# ---- functions


def by_length(texts: Sequence[str]) -> AnyArray:
    assert isinstance(texts, list)
    assert all(type(text) is str for text in texts)
    long = np.array([min(len(text), 100) / 100 for text in texts])
    return np.stack([1 - long, long], axis=1)


def test_a_function_is_given_a_list_of_texts_and_learned_from_a_probe() -> None:
    target = FunctionTarget(by_length, Texts(["a", "b"]), classes=None, name="mine")
    assert (target.medium, target.classes, target.gives_probabilities) == ("text", 2, True)
    np.testing.assert_array_equal(target.reply(Texts(ODD)), by_length(list(ODD)))
    with pytest.raises(InvalidInput, match="of medium 'image'; the target mine takes 'text'"):
        target.check(IMAGES)


def test_the_medium_of_a_function_that_is_not_probed_is_said() -> None:
    known = {"classes": 2, "gives_probabilities": True, "name": "mine"}
    assert FunctionTarget(by_length, None, medium="text", **known).medium == "text"  # type: ignore[arg-type]
    assert FunctionTarget(by_length, None, **known).medium == "image"  # type: ignore[arg-type]


def test_a_function_may_change_the_list_it_is_given() -> None:
    def spoil(texts: list[str]) -> AnyArray:
        count = len(texts)
        texts.clear()
        return np.zeros(count, np.int64)

    asked = Texts(["a", "b"])
    assert FunctionTarget(spoil, asked, classes=2, name="mine").reply(asked).tolist() == [0, 0]
    assert asked.texts == ("a", "b")


# ---- the oracle


def test_an_oracle_charges_texts_once_and_repeats_are_free(tmp_path: Path) -> None:
    target = FunctionTarget(by_length, Texts(["probe"]), classes=None, name="mine")
    with Ledger(tmp_path / "ledger") as ledger:
        oracle = Oracle(target, ledger, account="copy", budget=len(ODD))
        answers = oracle.ask(Texts([*ODD, *ODD]))
        assert oracle.counts.charged == oracle.counts.sent == len(ODD)
        assert answers.probabilities is not None
        np.testing.assert_allclose(answers.probabilities, by_length([*ODD, *ODD]), rtol=1e-6)
        with pytest.raises(BudgetSpent) as spent:
            oracle.ask(Texts([ODD[0], "new", ODD[1]]))
        assert len(spent.value.answers) == 1
    with Ledger(tmp_path / "ledger") as ledger:
        again = Oracle(target, ledger, account="copy")
        again.ask(Texts(ODD))
        assert again.counts.sent == len(ODD)
        assert again.verify(Texts(ODD)) == 5


def test_texts_that_differ_in_a_space_or_in_how_a_letter_is_written_are_different_queries(tmp_path: Path) -> None:
    target = FunctionTarget(by_length, Texts(["probe"]), classes=None, name="mine")
    with Ledger(tmp_path / "ledger") as ledger:
        oracle = Oracle(target, ledger, account="copy")
        oracle.ask(Texts(["a", "a ", "A", "é", "e\u0301"]))
        assert oracle.counts.charged == 5


def targets(folder: Path) -> list[tuple[Any, Inputs]]:
    """Targets of each medium with inputs of the other."""
    texts = Texts(["a", "b"])
    return [
        (FunctionTarget(by_length, texts, classes=None, name="mine"), IMAGES),
        (LabelTarget(texts, np.array([0, 1]), 2), IMAGES),
        (network(folder), IMAGES),
        (opened(fitted(PIPELINES[TFIDF]()), folder), IMAGES),
        (LabelTarget(IMAGES.take([0]), np.array([0]), 2), texts),
        (FunctionTarget(len, None, classes=2, name="mine", gives_probabilities=True), texts),
    ]


def test_inputs_of_another_medium_are_refused_before_anything_is_charged(tmp_path: Path) -> None:
    for number, (target, inputs) in enumerate(targets(tmp_path)):
        with Ledger(tmp_path / f"ledger{number}") as ledger:
            oracle = Oracle(target, ledger, account="copy")
            with pytest.raises(InvalidInput, match="Use a pool of that medium"):
                oracle.ask(inputs)
            assert oracle.counts.charged == 0


def test_known_labels_of_texts_are_answered() -> None:
    known = LabelTarget(Texts(["a", "", "b"]), np.array([2, 0, 1]), 3)
    assert known.reply(Texts(["b", "", "a"])).tolist() == [1, 0, 2]
    with pytest.raises(InvalidInput, match="1 of the 2 inputs are new"):
        known.check(Texts(["a", "a "]))


# ---- networks


def network(folder: Path, seed: int = 0) -> NetworkTarget:
    classifier = new_classifier("kim filters=4", Texts(corpus()[0]), 3, rng=np.random.default_rng(seed))
    save_classifier(classifier, folder / "model.safetensors")
    return NetworkTarget.load(folder / "model.safetensors", "kim filters=4", None, 3)


def test_a_text_network_from_a_file_answers_as_the_one_that_was_saved(tmp_path: Path) -> None:
    classifier = new_classifier("kim filters=4", Texts(corpus()[0]), 3, rng=np.random.default_rng(0))
    target = network(tmp_path)
    assert (target.medium, target.shape, target.classes) == ("text", None, 3)
    asked = Texts([*corpus()[0], *ODD] * 3)
    np.testing.assert_array_equal(target.reply(asked), classifier.probabilities(asked))
    assert target.reply(Texts([])).shape == (0, 3)
    assert target.fingerprint() == network(tmp_path).fingerprint()
    assert target.fingerprint() != network(tmp_path, seed=1).fingerprint()


def test_weights_go_with_an_architecture_of_their_medium(tmp_path: Path) -> None:
    network(tmp_path)
    path = str(tmp_path / "model.safetensors")
    target = open_file(path, FileSettings(None, classes=3, architecture="kim filters=4"))
    assert target.medium == "text"
    with pytest.raises(InvalidInput, match="kim"):
        open_file(path, FileSettings((28, 28, 1), classes=3, architecture="kim filters=4"))
    with pytest.raises(InvalidInput, match="lenet5"):
        open_file(path, FileSettings(None, classes=3, architecture="lenet5"))
    with pytest.raises(InvalidInput, match="neither pool nor test names its classes"):
        open_file(path, FileSettings(None, architecture="kim filters=4"))


def test_onnx_takes_images_alone_and_nothing_is_asked_of_it(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"never opened")

    def probe() -> Inputs:
        raise AssertionError("the probe was charged")

    with pytest.raises(InvalidInput, match=r"model\.onnx takes images, and the pool and the test set hold texts"):
        open_file(str(tmp_path / "model.onnx"), FileSettings(None, probe=probe))


# ---- the guide


def run(heading: str, folder: Path, monkeypatch: pytest.MonkeyPatch, **names: Any) -> dict[str, Any]:
    """Run the code under a heading of the guide and return its names."""
    whole = GUIDE.read_text(encoding="utf-8")
    found = re.search(rf"^### {heading}\n.*?```python\n(.*?)```", whole, re.DOTALL | re.M)
    assert found is not None
    monkeypatch.chdir(folder)
    exec(compile(found[1], heading, "exec"), names)
    return names


def test_the_guides_pipeline_can_be_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, labels = corpus()
    names = run("A pipeline of scikit-learn", tmp_path, monkeypatch, texts=texts, labels=labels)
    target = open_file("model.skops", TEXTS)
    np.testing.assert_allclose(target.reply(Texts(texts)), names["model"].predict_proba(texts), rtol=1e-9)


def test_the_guides_network_can_be_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts, _ = corpus()
    names = run("A network for texts", tmp_path, monkeypatch, texts=texts)
    target = open_file("model.safetensors", FileSettings(None, classes=2, architecture="kim"))
    np.testing.assert_array_equal(target.reply(Texts(texts)), names["classifier"].probabilities(Texts(texts)))


def test_the_guides_function_can_be_audited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = run("A function of texts", tmp_path, monkeypatch)
    target = FunctionTarget(names["classify"], Texts(["Hello", "HELLO"]), classes=None, name="mine")
    assert target.reply(Texts(["Hello", "HELLO"])).argmax(axis=1).tolist() == [0, 1]


def test_a_function_of_texts_is_loaded_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "of_texts.py").write_text("def classify(texts):\n    return [len(text) % 2 for text in texts]\n")
    target = FunctionTarget.load("of_texts:classify", None, classes=2, gives_probabilities=False, medium="text")
    assert (target.medium, target.reply(Texts(["a", "bb"])).tolist()) == ("text", [1, 0])
