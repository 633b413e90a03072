"""Every word that the tokenizers know as one token.

A word's index is its token, so the lists only grow at their end; the byte-pair merges of FIRST_WORDS are learned
without regard to LATER_WORDS, and those without regard to WORLD_WORDS, so that later words change no older token.
"""

from __future__ import annotations

from resources import WORLD


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_WORDS = _words("""
a an the , . ; : - ! and with of on in at to from by near beside next under over front behind is are there it its left
right top bottom centre center middle corner side upper lower above below up down upwards downwards background scene
picture photo image painting drawing video clip animation moves moving move flies flying fly goes going go drifts
drifting slides sliding rises rising falls falling sinks stays staying still standing stands sits sitting motionless
not grows growing shrinks shrinking bigger smaller two three one no many color colour colored coloured bright dark
light nice cute beautiful simple plain towards toward across slowly quickly fast while red apple owl rocket house cat
rabbit bunny car star heart frog penguin banana strawberry mushroom cactus football soccer ball basketball gift
present balloon bear fox pig panda bee butterfly fish moon sun tree donut pizza bus dog lion tiger monkey elephant
turtle octopus dolphin whale crab ladybug unicorn chicken chick dinosaur green orange lemon grapes watermelon cherries
pineapple avocado carrot burger hamburger cake birthday ice cream coffee sunflower tulip rose blue tractor bicycle
bike train airplane plane helicopter sailboat boat ufo saucer castle snowman purple crown hat umbrella bulb key guitar
drum camera alarm clock robot ghost alien pumpkin diamond gem rainbow cloud fire flame teddy white black gray yellow
pink brown turquoise sky forest night sea beach desert snow sunset mountains meadow underwater water space outer small
tiny little normal big large huge parrot bird duck swan eagle snake horse cow sheep goat mouse hamster wolf deer zebra
giraffe camel kangaroo koala snail ant spider shark seal peach pear kiwi mango coconut tomato corn broccoli bread
cheese egg cookie candy chocolate tea milk flower leaf truck taxi tent bridge tower city street garden field river
lake hill volcano island rain storm fog autumn spring winter summer morning evening teal magenta lime gold silver navy
violet sad happy
""")

# synonyms, then Portuguese, then that without its accents
LATER_WORDS = _words("""
spaceship home kitty kitten hare automobile toad toadstool box piglet crescent fir pine doughnut puppy doggy ape
tortoise ladybird hen dino bunch cheeseburger locomotive aeroplane aircraft sailing spacecraft golden jewel campfire
grey cyan woods starry ocean seaside snowy dusk mountain grass galaxy mini giant enormous that has have holding
backdrop scenery centered mid way high low along s ' ( ) ? maçã vermelha coruja foguete casa gato gatinho coelho
coelhinho carro vermelho estrela coração sapo rã pinguim morango cogumelo cacto bola de futebol basquete presente
balão urso raposa porco porquinho abelha borboleta peixe lua sol árvore rosquinha ônibus cachorro cão cachorrinho leão
tigre macaco elefante tartaruga polvo golfinho baleia caranguejo joaninha unicórnio galinha pintinho dinossauro verde
laranja limão uvas melancia cerejas abacaxi abacate cenoura hambúrguer bolo aniversário sorvete café girassol tulipa
rosa azul trator bicicleta trem avião helicóptero veleiro barco disco voador ovni castelo boneco neve roxo coroa
cartola guarda chuva lâmpada chave guitarra tambor câmera despertador relógio robô fantasma alienígena abóbora
diamante arco íris nuvem fogo ursinho pelúcia branco preto cinza amarelo marrom turquesa céu em um floresta na uma
noite noturno à mar frente ao praia deserto pôr do montanhas nas às campo prado subaquático debaixo da água embaixo
espaço espacial meio centro esquerda lado esquerdo direita direito cima topo alto parte baixo canto superior inferior
acima abaixo movendo se para indo voando vai subindo sobe descendo caindo desce cai sem mover imóvel pequeno pequena
pequenas grande grandes enorme enormes o umas as fundo e das foto imagem desenho pintura cena uns os dos perto com por
sobre sob tem há está grama rua cidade parado parada fofo fofa bonito bonita lindo linda pequenos minúsculo minúscula
gigante oceano rio lago montanha carros maçãs bosque moto caminhão dois duas dia inverno verão sai saindo voa anda
andando crescendo vídeo dele dela seu sua maca coracao ra balao arvore onibus cao leao unicornio limao hamburguer
aniversario cafe aviao helicoptero lampada relogio robo alienigena abobora iris pelucia ceu subaquatico agua espaco
imovel ha esta minusculo minuscula macas caminhao verao
""")

# what the second generation's world adds, in three languages, with and without accents
WORLD_WORDS = _words((WORLD / "words.txt").read_text("utf-8"))

WORDS: tuple[str, ...] = FIRST_WORDS + LATER_WORDS + WORLD_WORDS
