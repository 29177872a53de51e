package io.github.bts4j.train.eval;

import java.util.List;

/**
 * Sentences for word problems. {@code #} is the next number, {@code {name}} the owner of the things, {@code {other}} somebody else; {@code {How}},
 * {@code {how}} and {@code {others}} agree with the things in Spanish. Numbers are 2 or more and things in the plural, and German sentences keep them out of
 * the dative, so that no form changes.
 *
 * @param problem format of a problem, with {@code %s} for its sentences
 * @param answer format of the answer, with {@code %d} for the number
 * @param names people
 * @param things things in the plural; in Spanish those that end with {@code /f} are feminine
 * @param openings sentences with one number
 * @param groups sentences with two numbers whose product counts
 * @param gains sentences with a number that is added
 * @param losses sentences with a number that is subtracted
 * @param questions the questions
 */
record ProblemFrames(String problem, String answer, List<String> names, List<String> things, List<String> openings, List<String> groups, List<String> gains,
        List<String> losses, List<String> questions) {

    static final ProblemFrames ENGLISH = new ProblemFrames("Problem: %s\nAnswer:", "The answer is %d.",
            List.of("Alice", "Ben", "Carol", "David", "Emma", "Frank", "Grace", "Henry", "Irene", "Jack", "Kate", "Liam", "Mary", "Noah", "Olivia", "Peter"),
            List.of("apples", "books", "coins", "pencils", "cards", "stones", "oranges", "buttons", "stamps", "balls", "cups", "nuts", "flowers", "shells", "candles",
                    "marbles"),
            List.of("{name} has # {things}.", "{name} buys # {things} at the market.", "{name} finds # {things} in a box.", "{name} puts # {things} on the table.",
                    "{name} packs # {things} into a basket."),
            List.of("{name} has # boxes with # {things} in each of them.", "{name} buys # bags. There are # {things} in every bag.",
                    "For # days {name} collects # {things} every day.", "# friends bring {name} # {things} each."),
            List.of("{other} gives {name} # more.", "Then {name} gets # more from {other}.", "Later {name} buys another #.", "On the way home {name} finds # more.",
                    "{other} brings {name} # more {things}."),
            List.of("{name} gives # of them to {other}.", "Then {name} loses #.", "{name} sells # of them.", "{other} takes # of them.",
                    "The next day {name} gives away #."),
            List.of("How many {things} does {name} have now?", "How many {things} does {name} have in the end?", "How many {things} does {name} own after that?"));

    static final ProblemFrames SPANISH = new ProblemFrames("Problema: %s\nRespuesta:", "La respuesta es %d.",
            List.of("Lucía", "Marcos", "Ana", "Pablo", "Carmen", "Diego", "Elena", "Hugo", "Isabel", "Javier", "Laura", "Manuel", "Nuria", "Pedro", "Rosa", "Tomás"),
            List.of("manzanas/f", "libros", "monedas/f", "lápices", "cartas/f", "piedras/f", "naranjas/f", "botones", "sellos", "pelotas/f", "vasos", "nueces/f",
                    "flores/f", "cuadernos", "velas/f", "limones"),
            List.of("{name} tiene # {things}.", "{name} compra # {things} en el mercado.", "{name} encuentra # {things} en una caja.", "{name} pone # {things} sobre la mesa.",
                    "{name} mete # {things} en una cesta."),
            List.of("{name} tiene # cajas con # {things} en cada una.", "{name} compra # bolsas. En cada bolsa hay # {things}.",
                    "Durante # días {name} recoge # {things} cada día.", "# amigos le traen a {name} # {things} cada uno."),
            List.of("{other} le da # más a {name}.", "Después {name} recibe # más de {other}.", "Más tarde {name} compra {others} #.",
                    "De camino a casa {name} encuentra # más.", "{other} le trae a {name} # {things} más."),
            List.of("{name} le da # a {other}.", "Luego {name} pierde #.", "{name} vende #.", "{other} se lleva #.", "Al día siguiente {name} regala #."),
            List.of("¿{How} {things} tiene {name} ahora?", "¿{How} {things} tiene {name} al final?", "¿Con {how} {things} se queda {name}?"));

    static final ProblemFrames GERMAN = new ProblemFrames("Aufgabe: %s\nAntwort:", "Die Antwort ist %d.",
            List.of("Anna", "Bernd", "Clara", "Dieter", "Eva", "Felix", "Greta", "Jürgen", "Ida", "Jonas", "Lena", "Lukas", "Maria", "Niklas", "Paula", "Stefan"),
            List.of("Äpfel", "Bücher", "Münzen", "Bleistifte", "Karten", "Steine", "Orangen", "Knöpfe", "Briefmarken", "Bälle", "Tassen", "Nüsse", "Blumen", "Muscheln",
                    "Kerzen", "Murmeln"),
            List.of("{name} hat # {things}.", "{name} kauft # {things} auf dem Markt.", "{name} findet # {things} in einer Kiste.", "{name} legt # {things} auf den Tisch.",
                    "{name} packt # {things} in einen Korb."),
            List.of("{name} hat # Kisten. In jeder Kiste sind # {things}.", "{name} kauft # Tüten. In jeder Tüte sind # {things}.",
                    "# Tage lang sammelt {name} jeden Tag # {things}.", "# Freunde bringen {name} je # {things}."),
            List.of("{other} gibt {name} noch # dazu.", "Dann bekommt {name} # weitere von {other}.", "Später kauft {name} noch #.",
                    "Auf dem Heimweg findet {name} # weitere.", "{other} bringt {name} noch # {things}."),
            List.of("{name} gibt {other} # davon.", "Dann verliert {name} #.", "{name} verkauft # davon.", "{other} nimmt sich # davon.",
                    "Am nächsten Tag verschenkt {name} #."),
            List.of("Wie viele {things} hat {name} jetzt?", "Wie viele {things} hat {name} am Ende?", "Wie viele {things} besitzt {name} danach?"));

    /** Fills in a sentence's words. */
    static String fill(String sentence, String name, String other, String thing) {
        boolean feminine = thing.endsWith("/f");
        return sentence.replace("{name}", name).replace("{other}", other).replace("{things}", thing.replace("/f", "")).replace("{How}", feminine ? "Cuántas" : "Cuántos")
                .replace("{how}", feminine ? "cuántas" : "cuántos").replace("{others}", feminine ? "otras" : "otros");
    }
}
