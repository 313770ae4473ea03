"""What the explorables compute is what gdla computes; and everybody can work them."""

import gzip
import re
from functools import partial

import pytest
import torch

import gdla
from gdla import losses, metrics, plots, rates
from tests.browser.pages import DRAWN, HTML, until

PAGES = {"ball": "descent", "invert": "inverse", "ellipse": "svd"}
FOLDER = HTML / "_static" / "explorables"
I = torch.eye(2, dtype=torch.float64)


# What is computed


@pytest.fixture(scope="module")
def computed(browser, address):
    """Call a function of arithmetic.js with numbers, in the browser."""
    page = browser.new_page()
    page.goto(f"{address}/{PAGES['ball']}.html", wait_until="load")
    yield lambda expression, **given: page.evaluate(f"(given) => {expression}", given)
    page.close()


def draws(seed, count=12):
    """Draw pairs of numbers of the unit square and a 2x2 matrix, `count` times."""
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield (
            torch.rand(4, generator=generator, dtype=torch.float64),
            torch.randn(2, 2, generator=generator, dtype=torch.float64),
        )


def points(loss, init, steps, **how):
    """Descend with torch's SGD; return each point as one row."""
    seen = []

    def note(_, value):
        parts = value if isinstance(value, tuple) else (value,)
        seen.append(torch.cat([part.flatten() for part in parts]))

    sgd = partial(torch.optim.SGD, **how)
    gdla.minimize(loss, init, optimizer=sgd, gtol=0, max_steps=steps, callback=note)
    return torch.stack(seen)


def furthest(theirs, ours):
    """Compare two walks, as far as both go; return the largest relative difference."""
    theirs = torch.tensor(theirs, dtype=torch.float64)[: len(ours)]
    ours = ours[: len(theirs)]
    assert len(ours) > 2
    return ((theirs - ours).norm(dim=1) / ours.norm(dim=1)).max().item()


def product_off_identity(A):
    return lambda X: 0.5 * (X @ A - I).square().sum()


def factorised(A, squares):
    f = losses.factorisation(A)
    return lambda U, d, V: f(U, d * d if squares else d, V.mT)


def noted(seen):
    return lambda _, value: seen.append(torch.cat([part.flatten() for part in value]))


def flat(A):
    return A.flatten().tolist()


def test_the_ball_is_torchs(computed, record_property):
    worst = 0.0
    for u, _ in draws(1, 24):
        lr, momentum = 0.05 + 2.1 * u[0].item(), 0.95 * u[1].item()
        kappa, start = 100 ** u[2].item(), 8 * u[2:] - 4
        bends = torch.tensor([1 / kappa, 1.0], dtype=torch.float64)
        ours = points(
            lambda x, c=bends: 0.5 * (c * x * x).sum(), start, 200, lr=lr, momentum=momentum
        )
        theirs = computed(
            "gdla.descend(gdla.valley(given.kappa), given.start, given)",
            **{
                "kappa": kappa,
                "start": start.tolist(),
                "lr": lr,
                "momentum": momentum,
                "steps": 200,
            },
        )
        worst = max(worst, furthest(theirs, ours))
    record_property("largest relative difference", worst)
    assert 0 < worst < 1e-12


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_the_inverse_is_torchs(computed, record_property, momentum):
    worst = 0.0
    for _, A in draws(2):
        start, lr = A.mT / A.norm() ** 2, 1 / torch.linalg.svdvals(A)[0].item() ** 2
        ours = points(product_off_identity(A), start, 300, lr=lr, momentum=momentum)
        theirs = computed(
            "gdla.descend(gdla.inverse(given.A), given.start, given)",
            **{"A": flat(A), "start": flat(start), "lr": lr, "momentum": momentum, "steps": 300},
        )
        worst = max(worst, furthest(theirs, ours))
    record_property("largest relative difference", worst)
    assert 0 < worst < 1e-12


def test_the_natural_gradient_is_that_of_newton_schulz(computed, record_property):
    worst = 0.0
    for _, A in draws(3):
        start, seen = A.mT / A.norm() ** 2, []
        metric = metrics.NewtonSchulz(A[None], accelerate=False)
        gdla.minimize(metric, (start[None],), callback=noted(seen))
        theirs = computed(
            "gdla.descend(gdla.natural(given.A), given.start, {lr: 1, steps: given.steps})",
            **{"A": flat(A), "start": flat(start), "steps": len(seen) - 1},
        )
        worst = max(worst, furthest(theirs, torch.stack(seen)))
    record_property("largest relative difference", worst)
    assert worst < 1e-12


@pytest.mark.parametrize("squares", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.8])
def test_the_factorisation_is_that_of_the_library(computed, record_property, squares, momentum):
    worst = 0.0
    for _, A in draws(4):
        loss = factorised(A, squares)
        start = (I, torch.ones(2, dtype=torch.float64), I)
        ours = points(loss, start, 120, lr=0.05, momentum=momentum)
        given = {"A": flat(A), "squares": squares, "lr": 0.05, "momentum": momentum, "steps": 120}
        theirs = computed(
            "gdla.descend(gdla.factorisation(given.A, given.squares).gradient, "
            "[1, 0, 0, 1, 1, 1, 1, 0, 0, 1], given)",
            **given,
        )
        worst = max(worst, furthest(theirs, ours))
        end = [
            part.reshape(shape)
            for part, shape in zip(ours[-1].split([4, 2, 4]), [(2, 2), (2,), (2, 2)], strict=True)
        ]
        height = computed(
            "gdla.factorisation(given.A, given.squares).loss(given.x)",
            A=flat(A),
            squares=squares,
            x=theirs[119],
        )
        assert height == pytest.approx(loss(*end).item(), rel=1e-9, abs=1e-28)
    record_property("largest relative difference", worst)
    assert 0 < worst < 1e-12


def test_the_rotations_are_those_of_the_metric(computed, record_property):
    worst = 0.0
    special = [
        [1.0, 0, 0, 1],
        [0, 0, 0, 0],
        [0, 2, 1, 0],
        [1, 1, 1, 1],
        [0, -1, 1, 0],
        [1, 0, 0, -1],
    ]
    matrices = [A for _, A in draws(5, 30)]
    matrices += [torch.tensor(A, dtype=torch.float64).reshape(2, 2) for A in special]
    for A in matrices:
        seen, metric = [], metrics.Rotations(A[None])
        found = gdla.minimize(metric, (I[None], I[None]), callback=noted(seen))
        theirs = computed("gdla.rotations(given.A)", A=flat(A))
        assert len(theirs) - 1 == found.steps
        theirs = torch.tensor(theirs, dtype=torch.float64)
        ends = torch.cat([theirs[:, :4], theirs[:, 6:]], dim=1)
        ours = torch.stack([*seen, torch.cat([Q.flatten() for Q in found.value])])[: len(ends)]
        worst = max(worst, ((ends[: len(ours)] - ours).norm(dim=1) / ours.norm(dim=1)).max().item())
        U, V = ends[-1, :4].reshape(2, 2), ends[-1, 4:].reshape(2, 2)
        assert torch.allclose(U @ torch.diag(theirs[-1, 4:6]) @ V.mT, A, atol=1e-14)
    record_property("largest relative difference", worst)
    assert worst < 1e-12


def test_the_theory_is_that_of_the_library(computed):
    for u, A in draws(6, 40):
        lr, momentum, L, mu = 3 * u[0].item(), 0.99 * u[1].item(), 1 + u[2].item(), u[3].item()
        given = {"lr": lr, "momentum": momentum, "L": L, "mu": mu, "A": flat(A)}
        found = computed(
            """[
                gdla.rates.contraction(given.lr, given.momentum, given.L, given.mu),
                gdla.rates.maxLr(given.L, given.momentum),
                gdla.rates.optimalLr(given.L, given.mu),
                ...gdla.rates.optimalMomentum(given.L, given.mu),
                gdla.rates.predictedSteps(given.mu, 1e-6),
                ...gdla.singularValues(given.A),
            ]""",
            **given,
        )
        expected = [
            rates.contraction(lr, momentum, L, mu),
            rates.max_lr(L, momentum),
            rates.optimal_lr(L, mu),
            *rates.optimal_momentum(L, mu),
            rates.predicted_steps(mu, 1e-6),
            *torch.linalg.svdvals(A).tolist(),
        ]
        assert found == pytest.approx(expected, rel=1e-12)


def test_with_a_double_root_the_promise_is_kept(computed):
    steps = computed("gdla.rates.predictedSteps(0.9, 1e-6, true)")
    assert steps * 0.9**steps == pytest.approx(1e-6, rel=1e-6)


@pytest.mark.parametrize("double_root", [False, True])
def test_what_is_measured_is_measured_as_the_library_does(computed, double_root):
    for u, _ in draws(7):
        errors = [u[0].item() ** k * (k + 1) + u[1].item() ** k for k in range(60)]
        found = computed(
            "gdla.observedContraction(given.errors, given.double)",
            errors=errors,
            double=double_root,
        )
        ours = gdla.observed_contraction(errors, double_root=double_root)
        assert found == pytest.approx(ours, rel=1e-12)


# What is said and shown


@pytest.fixture
def opened(visit, address):
    """Open the page of an explorable, at a state; return the page and the explorable."""

    def opened(name, state="", at=address, **options):
        page = visit(f"{at}/{PAGES[name]}.html{state}", **options)
        root = page.locator(f"[data-explorable={name}]")
        root.scroll_into_view_if_needed()
        return page, root

    return opened


def part(root, name):
    return root.locator(f"[data-part={name}]").text_content()


def rested(page, root):
    """Wait until what is spoken is what is seen."""
    said = "document.querySelector('[data-explorable=%s] .{}').textContent"
    said %= root.get_attribute("data-explorable")
    until(page, f"{said.format('spoken')} === {said.format('summary')}")
    return root.locator(".spoken").text_content()


def test_the_cliff_of_the_ball_is_where_theory_puts_it(opened):
    page, root = opened("ball", "#ball?lr=1.99&momentum=0&condition=20")
    assert "theory says" in rested(page, root)
    root.get_by_label("learning rate").press("ArrowRight")
    root.get_by_label("learning rate").press("ArrowRight")
    assert "Beyond the cliff at 2.00" in rested(page, root)
    assert part(root, "needed") == "never"
    root.get_by_role("button", name="Best ball").click()
    assert "No constant setting does better here" in rested(page, root)
    lr, momentum = rates.optimal_momentum(1, 1 / 20)
    assert part(root, "factor") == f"{rates.contraction(lr, momentum, 1, 1 / 20):#.3g}"


@pytest.mark.parametrize("method", ["plain", "momentum", "preconditioned"])
def test_the_steps_of_the_inverse_come_as_predicted(opened, method):
    page, root = opened("invert", f"#invert?a=1.5,0.4&b=1,1.3&method={method}")
    assert "are predicted" in rested(page, root)
    promised, needed = (int(part(root, name).replace(",", "")) for name in ("promised", "needed"))
    assert abs(promised - needed) <= 0.2 * promised + 1
    A = torch.tensor([[1.5, 1.0], [0.4, 1.3]])
    assert part(root, "condition") == f"{torch.linalg.cond(A).item():.2f}"


def test_a_singular_matrix_has_no_inverse(opened):
    for state in ("?a=1,0.5&b=2,1", "?a=0,0&b=1,1", "?a=0,0&b=0,0"):
        page, root = opened("invert", f"#invert{state}")
        said = rested(page, root)
        assert "singular" in said or "zero" in said
        assert part(root, "needed") == "never"


def test_the_trap_of_the_squares(opened):
    page, root = opened("ellipse", "#ellipse?squares=true")
    assert "trap" not in rested(page, root)
    root.get_by_role("button", name="Mirror A").click()
    assert "trap" in rested(page, root)
    assert float(part(root, "preconditioned").split(" ")[0]) < 10
    root.get_by_label("write the values as squares").uncheck()
    assert "trap" not in rested(page, root)


@pytest.mark.parametrize("name", PAGES)
def test_a_handle_takes_the_keys_of_a_slider_and_the_page_stays(opened, name):
    page, root = opened(name)
    grip = root.get_by_role("slider").first
    page.evaluate("addEventListener('keydown', (it) => (globalThis.kept = it.defaultPrevented))")

    def after(key):
        grip.press(key)
        page.evaluate(DRAWN)
        assert page.evaluate("kept"), "the key moves the page, too"
        said = grip.get_attribute("aria-valuetext").replace("\N{MINUS SIGN}", "-")
        across, up = re.findall(r"-?[\d.]+", said)
        return float(across), float(up)

    end, grid = (float(grip.get_attribute(of)) for of in ("aria-valuemax", "data-grid"))
    across, up = after("ArrowRight")
    assert after("PageDown") == (across, pytest.approx(up - 10 * grid))
    assert after("PageUp") == (across, up)
    # A handle stays where all of it can be seen.
    assert after("End") == (pytest.approx(end, abs=3 * grid), up)
    assert after("Home") == (pytest.approx(-end, abs=3 * grid), up)


@pytest.mark.parametrize("name", PAGES)
def test_a_state_that_is_shared_comes_back(opened, name):
    page, root = opened(name)
    grip = root.get_by_role("slider").first
    grip.focus()
    for key in ("ArrowLeft", "ArrowUp", "Shift+ArrowDown"):
        grip.press(key)
    root.locator("[name=step]").press("ArrowRight")
    said = rested(page, root)
    page.wait_for_url(f"**#{name}?*")
    again, other = opened(name, "#" + page.url.partition("#")[2])
    assert rested(again, other) == said
    for kept in ("dl", ".views"):
        assert other.locator(kept).inner_html() == root.locator(kept).inner_html()


@pytest.mark.parametrize("name", PAGES)
def test_an_address_that_says_nonsense_does_no_harm(opened, name):
    states = (
        f"#{name}?lr=abc&momentum=1e999&condition=-1&step=NaN&start=1&a=x,y&b=1e300,-1e300&method=magic",
        f"#{name}?",
    )
    for state in states:
        page, root = opened(name, state)
        assert rested(page, root)
        assert "NaN" not in root.inner_html()


# Who can work them


OUTLINED = """stop => [stop, ...stop.children].map(part => getComputedStyle(part)).some(style =>
    (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0)
    || parseFloat(style.strokeWidth) >= 4)"""


@pytest.mark.parametrize("name", PAGES)
def test_every_control_works_by_keyboard(opened, name):
    page, root = opened(name)
    root.evaluate("root => { root.tabIndex = -1; root.focus(); }")
    stops = root.locator(
        "[data-point], input[type=range], input[type=checkbox], input[type=radio]:checked, button"
    )
    for number in range(stops.count()):
        page.keyboard.press("Tab")
        stop = stops.nth(number)
        assert stop.evaluate("stop => stop === document.activeElement"), number
        assert stop.evaluate(OUTLINED), "nobody sees where the focus is"
        before = root.locator(".views").inner_html() + root.locator(".controls").inner_html()
        role = stop.get_attribute("role") or stop.get_attribute("type")
        said = stop.get_attribute("aria-valuetext")
        page.keyboard.press(
            {"checkbox": "Space", "button": "Enter", "radio": "ArrowRight"}.get(role, "ArrowLeft")
        )
        page.wait_for_timeout(60)  # a frame is drawn
        if role in ("slider", "range") and stop.get_attribute("name") != "momentum":
            assert stop.get_attribute("aria-valuetext") != said
        if role == "button":
            assert rested(page, root)
        elif stop.get_attribute("name") != "momentum":
            now = root.locator(".views").inner_html() + root.locator(".controls").inner_html()
            assert now != before or role == "checkbox"


@pytest.mark.parametrize("name", PAGES)
def test_points_follow_the_pointer(opened, name):
    page, root = opened(name)
    grip = root.locator("[data-point] .grip").first
    box = grip.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 25, steps=4)
    page.mouse.up()
    page.wait_for_timeout(60)
    moved = grip.bounding_box()
    assert moved["x"] - box["x"] == pytest.approx(40, abs=4)
    assert moved["y"] - box["y"] == pytest.approx(25, abs=4)
    page.mouse.move(x, y)  # let go: it stays
    page.wait_for_timeout(60)
    assert grip.bounding_box() == moved


@pytest.mark.parametrize("name", PAGES)
def test_points_follow_a_finger_and_the_page_does_not_scroll(opened, name):
    page, root = opened(name, width=390, has_touch=True)
    grip = root.locator("[data-point] .grip").first
    grip.scroll_into_view_if_needed()
    box, scrolled = grip.bounding_box(), page.evaluate("scrollY")
    reach = root.locator("[data-point] .reach").first.bounding_box()
    assert reach["width"] >= 40
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)

    def send(kind, *at):
        points = [{"x": at[0], "y": at[1]}] if at else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", x, y)
    for k in range(1, 6):
        send("touchMove", x + 5 * k, y + 6 * k)
    send("touchEnd")
    page.wait_for_timeout(60)
    moved = grip.bounding_box()
    assert moved["y"] - box["y"] == pytest.approx(30, abs=6)
    assert page.evaluate("scrollY") == scrolled


def test_what_changes_often_is_spoken_once(opened):
    page, root = opened("ball")
    rested(page, root)
    page.evaluate(
        "() => { window.spoken = 0; new MutationObserver(() => window.spoken++)"
        ".observe(document.querySelector('.spoken'), {childList: true}); }"
    )
    slider = root.get_by_label("learning rate")
    for _ in range(15):
        slider.press("ArrowRight")
    rested(page, root)
    assert page.evaluate("window.spoken") <= 2


def test_who_wants_no_motion_sees_the_end(opened):
    page, root = opened("ball", "#ball?step=0", reduced_motion="reduce")
    root.get_by_role("button", name="Let go").click()
    page.wait_for_timeout(60)
    assert root.locator("[name=step]").input_value() == "80"
    moving, other = opened("ball", "#ball?step=0")
    other.get_by_role("button", name="Let go").click()
    assert other.get_by_role("button", name="Stop").is_visible()
    until(moving, "document.querySelector('[name=step]').value === '80'", seconds=8)


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_and_on_paper_there_is_a_still_picture(visit, address, opened, name):
    bare = visit(f"{address}/{PAGES[name]}.html", java_script_enabled=False)
    printed, root = opened(name)
    printed.emulate_media(media="print")
    for page in (bare, printed):
        figure = page.locator(f"figure:has([data-explorable={name}])")
        assert figure.locator("> :is(svg, img)").is_visible()
        assert figure.locator("figcaption").is_visible()
        assert not figure.locator(".explorable").is_visible()
    printed.emulate_media(media="screen")
    assert root.is_visible()
    assert not printed.locator(f"figure:has([data-explorable={name}]) > :is(svg, img)").is_visible()


@pytest.mark.parametrize("name", PAGES)
def test_it_works_without_a_server(opened, name):
    page, root = opened(name, at=HTML.as_uri())
    root.locator("[name=step]").press("ArrowRight")
    assert rested(page, root)
    page.wait_for_url(f"**#{name}?*")


# What it weighs and costs


def test_scripts_are_a_few_kilobytes(record_property):
    sizes = {}
    for name in PAGES:
        scripts = b"".join(
            (FOLDER / f"{part}.js").read_bytes() for part in ("arithmetic", "kit", name)
        )
        sizes[name] = len(scripts), len(gzip.compress(scripts, 6))
    record_property("raw and compressed bytes", sizes)
    assert all(raw < 25_000 and packed < 8_500 for raw, packed in sizes.values()), sizes


def test_colours_are_those_of_the_pictures():
    css = (FOLDER / "explorables.css").read_text()
    found = dict(re.findall(r"--(plain|momentum|preconditioned): (#\w+);", css))
    assert found == {name: plots.COLOURS[name] for name in found}
    assert len(found) == 3
