"""What tests of pages look at in a browser, which the fixture `browser` starts."""

LIGHT, DARK = "rgb(254, 254, 252)", "rgb(22, 24, 27)"  # of the paper, as page.css has it


def opened(browser, address, width, scheme="light"):
    """The page, and what it complained about and asked for."""
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    return page, said, asked


def check_telephone_and_themes(browser, address, scheme):
    """A page fits 375 pixels, begins in the theme of the system, and has a button for the other one, figures too."""
    page, said, _ = opened(browser, address, 375, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    paper = "getComputedStyle(document.body).backgroundColor"
    first = page.evaluate(paper)
    page.locator("button.theme").click()
    second = page.evaluate(paper)
    assert {first, second} == {LIGHT, DARK} and (first == DARK) == (scheme == "dark")
    ink = page.evaluate("getComputedStyle(document.querySelector('figure svg text')).fill")
    assert ink != ("rgb(29, 32, 37)" if second == DARK else "rgb(230, 228, 222)")
    assert said == []
    page.close()


__all__ = ["check_telephone_and_themes", "opened"]
