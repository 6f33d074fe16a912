# The page of `loam map --html`, used: map.py PAGE FOLDER. Prints "ok WHAT" for what it finds.
import sys
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

page, folder = sys.argv[1:3]
options = Options()
options.binary_location = "/usr/bin/chromium"
for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,1000",
                 "--user-data-dir=" + folder):
    options.add_argument(argument)
options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)


def soon(what, condition):
    WebDriverWait(browser, 20).until(lambda _: condition())
    print("ok", what, flush=True)


try:
    browser.get("file://" + page)
    find = lambda css: browser.find_element(By.CSS_SELECTOR, css)
    canvas, button = find(".layers canvas"), find(".layers-tools button")
    about = lambda: find(".layers-about").text
    right, down = -canvas.size["width"] / 2, -canvas.size["height"] / 2
    whole = lambda: button.get_attribute("disabled") is not None
    soon("all is shown at first", whole)
    first = about()
    at = ActionChains(browser).move_to_element_with_offset(canvas, right + 300, down + 15)
    at.perform()
    soon("the pointer tells what is there", lambda: about() != first and "in RAM of" in about())
    owner = about().split(" ")[0]
    ActionChains(browser).move_to_element_with_offset(canvas, right + 300, down + 15).click().perform()
    soon("a click zooms to a box", lambda: not whole())
    for x in (100, 900):
        ActionChains(browser).move_to_element_with_offset(canvas, right + x, down + 15).perform()
        soon("and all of it is that box", lambda: about().split(" ")[0] == owner)
    canvas.send_keys(Keys.ESCAPE)
    soon("Escape shows all again", whole)
    canvas.send_keys("++")
    soon("keys zoom", lambda: not whole())
    canvas.send_keys(Keys.ESCAPE)
    keys = len(browser.find_elements(By.CSS_SELECTOR, ".layers-key"))
    find(".layers-tools input").click()
    soon("what is absent can be shown",
         lambda: len(browser.find_elements(By.CSS_SELECTOR, ".layers-key")) > keys)
    errors = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
    print("not ok" if errors else "ok", "nothing went wrong in the page", *errors, flush=True)
    print("ok the end was reached")
finally:
    browser.quit()
