"use strict";
// What the pages' scripts say. The server puts the language in, and its catalogue: texts, or their plural forms, by their English.
window.Messages = (({ language, texts }) => {
  const locale = `${language}-u-nu-latn`; // the digits that the citations have
  const rules = new Intl.PluralRules(language);
  const { pluralCategories } = rules.resolvedOptions();
  const order = ["zero", "one", "two", "few", "many", "other"].filter((name) => pluralCategories.includes(name));
  const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

  // Gradio names its own controls in the browser's language, whatever the address asks for.
  Object.defineProperty(navigator, "language", { value: language, configurable: true });

  return {
    _: (text, values = {}) => filled(texts[text] ?? text, values),
    ngettext(one, many, count, values = {}) {
      const forms = texts[one] ?? [one, many];
      const form = forms[order.indexOf(rules.select(count))] ?? forms.at(-1);
      return filled(form, { count: count.toLocaleString(locale), ...values });
    },
    number: (value) => value.toLocaleString(locale),
    date: (day) => (language === "en" ? day : new Date(day).toLocaleDateString(locale, { dateStyle: "medium", timeZone: "UTC" })),
    language,
  };
})(CATALOGUE);
